"""The paragraph about the method: model, data, training, selection, tests, seeds, versions, as the runs tell them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from attnlab.analysis.comparison import OUTPUT_TESTS, Comparison
from attnlab.analysis.latex import breakable, escaped
from attnlab.analysis.paper.cards import cards
from attnlab.analysis.paper.citations import Citations
from attnlab.analysis.paper.results import chosen
from attnlab.analysis.paper.settings import all_runs, same_choices, shared
from attnlab.analysis.report.page import versions
from attnlab.analysis.report.tables import MISSING, number, opening
from attnlab.metrics.quantities.costs import PARAMETERS

PARTS = (  # groups whose option is told, and what it is called
    ("model", "model"), ("encoder", "encoder"), ("sentence_encoder", "sentence encoder"), ("decoder", "decoder"),
    ("attention", "attention"), ("attention/window", "window"), ("attention/normalizer", "normalizer"),
    ("pooling", "pooling"), ("sentence_pooling", "sentence pooling"), ("position", "positions"),
    ("self_attention", "self-attention"), ("tokenizer", "tokenizer"),
)  # fmt: skip
UNTOLD = (None, "null", "None", "same")
AROUND = {"device": "on", "devices": "", "precision": "in precision"}  # no software
NAMES = {"torch": "PyTorch", "pytorch-lightning": "PyTorch Lightning", "sacrebleu": "sacreBLEU", "python": "Python",
         "scikit-learn": "scikit-learn", "torchmetrics": "TorchMetrics", "cuda": "CUDA"}  # fmt: skip


def method(comparison: Comparison, cited: Citations) -> str:
    """As LaTeX, a sentence a line."""
    parts = (models, data, training, selection, evaluation, statistics, software)
    return "\n".join(line for part in parts for line in part(comparison, cited)) + "\n"


def models(comparison: Comparison, cited: Citations) -> Iterator[str]:
    runs = all_runs(comparison)
    names = [
        f"{breakable(item.name)}{cited.of(*own(item.runs[0].choices, runs))}" for item in comparison.configurations
    ]
    task = escaped(runs[0].contents.task)
    yield f"We compare {counted(len(names), 'configuration')} on the task {task}: {listed(names)}."
    same = same_choices(runs)
    told = [f"{what} {breakable(same[group])}{cited.of(f'{group}={same[group]}')}"
            for group, what in PARTS if same.get(group) not in UNTOLD]  # fmt: skip
    if told:
        yield f"All have {listed(told)}."
    sizes = {run.metric(PARAMETERS.key()) for run in runs} - {None}
    if sizes:
        yield f"They have {span(sizes)} parameters."


def own(choices: Mapping[str, str], runs: Sequence[Any]) -> list[str]:
    """What sets a configuration apart, as settings."""
    same = same_choices(runs)
    return [f"{group}={choices[group]}" for group, _ in PARTS if group in choices and group not in same]


def data(comparison: Comparison, cited: Citations) -> Iterator[str]:
    runs = all_runs(comparison)
    name = same_choices(runs).get("dataset")
    known = cards(comparison)
    sizes = []
    if known:
        splits, items = known[0].told["splits"], str(known[0].told.get("items", comparison.words.items))
        sizes = [f"{number(told['items'], 0)} {escaped(items)} in {escaped(split)}" for split, told in splits.items()
                 if isinstance(told, dict) and isinstance(told.get("items"), int)]  # fmt: skip
    what = f"the data {breakable(name)}{cited.of(f'dataset={name}')}" if name else "these data"
    if sizes:
        more = " in the first of them" if len(known) > 1 else ""
        yield f"Of {what} there are {listed(sizes)}{more} (Table~\\ref{{tab:data{'-1' if len(known) > 1 else ''}}})."
    elif name:
        yield f"They are trained on {what}."


def training(comparison: Comparison, cited: Citations) -> Iterator[str]:
    runs = all_runs(comparison)
    have, same = shared(runs), same_choices(runs)
    parts = []
    if (epochs := have.get("trainer.max_epochs")) is not None and epochs != -1:
        parts.append(f"for at most {counted(epochs, 'epoch')}")
    if (size := have.get("data.batch_size")) is not None:
        parts.append(f"in batches of {size}")
    if optimizer := same.get("optimizer"):
        rate = f" (learning rate {have['optimizer.lr']:g})" if isinstance(have.get("optimizer.lr"), float) else ""
        parts.append(f"by {breakable(optimizer)}{cited.of(f'optimizer={optimizer}')}{rate}")
    if scheduler := same.get("scheduler"):
        parts.append(f"with the schedule {breakable(scheduler)}{cited.of(f'scheduler={scheduler}')}")
    if clip := have.get("trainer.gradient_clip_val"):
        parts.append(f"gradients clipped at norm {clip:g}")
    if (dropout := have.get("model.dropout")) is not None:
        parts.append(f"dropout {dropout:g}")
    if parts:
        yield f"They are trained {', '.join(parts)}; Table~\\ref{{tab:settings}} has all settings that they share."
    steps = {run.metric("train/steps") for run in runs} - {None}
    if steps:
        yield f"A training took {span(steps)} updates."


def selection(comparison: Comparison, _: Citations) -> Iterator[str]:
    runs = all_runs(comparison)
    monitors = dict.fromkeys(run.contents.monitor for run in runs if run.contents.monitor)
    if monitors:
        told = listed([f"{breakable(monitor)}" for monitor in monitors])
        yield f"Of each training the checkpoint with the best {told} is tested."
    patience = shared(runs).get("callbacks.early_stopping.patience")
    if patience is not None:
        yield f"Training ends where {counted(patience, 'validation')} in a row bring nothing better."


def evaluation(comparison: Comparison, cited: Citations) -> Iterator[str]:
    runs = all_runs(comparison)
    search = same_choices(runs).get("search")
    if search:
        found = escaped(opening(comparison.words.outputs))
        yield f"{found} are found by {breakable(search)} search{cited.of(f'search={search}')}."
    told = []
    for column, _ in chosen(comparison, comparison.split, True):
        quantity = comparison.quantities.get(column.quantity)
        if quantity is None or column.published:
            continue
        signature = comparison.signatures.get(quantity.id) or comparison.signatures.get(quantity.title)
        whole = f" (signature {breakable(signature)})" if signature else ""
        told.append(f"{escaped(quantity.title)}{cited.of(f'quantity={quantity.id}')}{whole}")
    if told:
        yield f"We report {listed(told)}."


def statistics(comparison: Comparison, cited: Citations) -> Iterator[str]:
    seeds = {tuple(str(seed) for seed in item.seeds if seed is not None) for item in comparison.configurations}
    if len(seeds) == 1 and (one := next(iter(seeds))):
        yield f"Every configuration is trained with the {'seeds' if len(one) > 1 else 'seed'} {listed(one)}."
    elif len(seeds) > 1:
        told = [f"{breakable(item.name)}: {', '.join(map(str, item.seeds))}" for item in comparison.configurations]
        yield f"The seeds are {'; '.join(told)}."
    pairs = (*comparison.against_baseline, *comparison.all_pairs)
    if not pairs:
        return
    level = f"{100 * (1 - comparison.level):g}\\%"
    yield f"Intervals cover {level}."
    over = dict.fromkeys(pair.over for pair in pairs if pair.seeds)
    if over:
        yield (
            f"Differences in {escaped(comparison.quantity.title)} are tested over {escaped(' or '.join(over))}: their "
            f"variance is that over seeds and, by the bootstrap, that over {escaped(comparison.words.items)}, held "
            f"against a mixture of quantiles of Student's $t${cited.of('test=seeds')}."
        )
    kinds = dict.fromkeys(test.test for pair in pairs for test in pair.sentences)
    if kinds:
        told = [f"{OUTPUT_TESTS[kind][1]}{cited.of(f'test={kind}')}" for kind in kinds]
        yield f"Single {escaped(comparison.words.outputs)} are compared by {listed(told)}."
    yield f"All $p$-values are corrected after Holm{cited.of('test=holm')}."


def software(comparison: Comparison, cited: Citations) -> Iterator[str]:
    found = {key: [value for value, _ in values if value != "None"] for key, values in versions(comparison)}
    packages = [
        f"{NAMES.get(key, escaped(key))} {escaped(' and '.join(values))}{cited.of(f'package={key}')}"
        for key, values in found.items()
        if values and key not in AROUND
    ]
    if packages:
        yield f"The software is {listed(packages)}."
    around = [f"{what} {escaped(' and '.join(found[key]))}" for key, what in AROUND.items() if what and found.get(key)]
    if around:
        yield f"Runs were made {' '.join(around)}."
    yield f"All tables and figures are made by \\texttt{{{breakable(comparison.command)}}}."


def counted(number_of: int, what: str) -> str:
    return f"{number(number_of, 0)} {what}{'s' * (number_of != 1)}"


def span(values: Iterable[float | None]) -> str:
    """One value, or from the least to the most."""
    known = sorted(value for value in values if value is not None)
    low, high = number(known[0], 0), number(known[-1], 0)
    return low if low == high else f"{low} to {high}"


def listed(parts: Sequence[str]) -> str:
    """``a, b and c``."""
    *others, last = parts or [MISSING]
    return f"{', '.join(others)} and {last}" if others else last
