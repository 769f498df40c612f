"""From the names of runs to everything that a page shows."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from attnlab.analysis.finding import LATEST, find_runs
from attnlab.analysis.maps import AttentionMap, Moment, recorded
from attnlab.analysis.pages import languages
from attnlab.analysis.runs import Run
from attnlab.analysis.viewer.collected import Asked, Collected, Viewed, ViewedRun
from attnlab.cli.runs import find
from attnlab.cli.viewing.looking import Looking, viewed
from attnlab.cli.viewing.pretrained import Pretrained
from attnlab.cli.viewing.settings import Settings
from attnlab.cli.viewing.tested import gold_of, items_of, outcomes, scored
from attnlab.errors import ConfigError
from attnlab.pretrained.loading import is_pretrained
from attnlab.runs.words import TEXTS
from attnlab.types import EOS, SPECIALS
from attnlab.viz.joining import spelled, words_of


class Source(NamedTuple):
    """A run at one of its checkpoints."""

    run: Run
    checkpoint: str
    name: str
    moment: str = ""  #: empty where there is one checkpoint


class Named(NamedTuple):
    """What was named to be viewed."""

    runs: Sequence[Run]
    pretrained: Sequence[Path] = ()  #: folders of the library ``transformers``


def runs_of(names: Iterable[str | Path]) -> Named:
    """The finished runs that are named: folders, a sweep, globs; ``latest`` is the one that was at work last.

    Raises:
        ConfigError, MistakesError: there are none.
    """
    every = list(names)
    pretrained = [Path(name) for name in every if is_pretrained(Path(name))]
    places = [find(LATEST) if str(name) == LATEST else name for name in every if Path(name) not in pretrained]
    found = find_runs(places, Path(os.environ["ATTNLAB_ROOT"])).runs if places or not pretrained else ()
    return Named(list(found), pretrained)


def sources(runs: Sequence[Run], checkpoints: Sequence[str]) -> list[Source]:
    """Every run at every checkpoint, named apart by the shortest that does."""
    every = [(run, checkpoint) for run in runs for checkpoint in checkpoints]
    more = len(checkpoints) > 1
    names = names_of(runs)
    return [
        Source(run, checkpoint, names[run.folder], Path(checkpoint).stem if more else "") for run, checkpoint in every
    ]


def names_of(runs: Sequence[Run]) -> dict[Path, str]:
    """By folder what a run is called, the first of these that no other one is: its mechanism, that and the choices in
    which runs differ, all that and the seed, the name of its folder.
    """
    differing = [
        group
        for group in dict.fromkeys(group for run in runs for group in run.labels)
        if group != "attention" and len({run.labels.get(group) for run in runs}) > 1
    ]
    parts = [(run.mechanism or run.name, *(run.labels.get(group, "") for group in differing)) for run in runs]
    chosen = [", ".join(dict.fromkeys(filter(None, part))) for part in parts]
    ways = [
        [part[0] for part in parts],
        chosen,
        [f"{name}, seed {run.seed}" for name, run in zip(chosen, runs, strict=True)],
    ]
    counted = [Counter(way) for way in ways]
    return {
        run.folder: next((way[i] for way, count in zip(ways, counted, strict=True) if count[way[i]] == 1), run.name)
        for i, run in enumerate(runs)
    }


def collect_tested(named: Named, settings: Settings) -> Collected:
    """What runs looked at in the items that they were tested on.

    Raises:
        ConfigError: they were tested on different items, or none of them looks at anything.
        DataError: a run has no such split.
    """
    if named.pretrained:
        raise ConfigError(
            f"runs: {named.pretrained[0]} is a model of the transformers library, which was tested on nothing here; "
            "give it texts: input=my.txt"
        )
    runs = named.runs
    require_alike(runs, settings)
    first = items_of(runs[0], settings)
    found = []
    for source in sources(runs, settings.checkpoints):
        looking = Looking(source.run, source.checkpoint, settings)
        viewed = looking.tested(gold_of(source.run, settings))
        told = outcomes(source.run, settings)
        items = [one._replace(**more) for one, more in zip(viewed, told, strict=True)]
        found.append(ViewedRun(source.name, told_of(source.run.folder), items, source.moment))
    return whole(runs, [Asked(item.input, item.reference) for item in first], found)


def collect_texts(named: Named, read: Callable[[bool], Sequence[str]], settings: Settings) -> Collected:
    """What runs look at in texts.

    Args:
        named: which.
        read: the texts; is told whether all of an input is one, as of a run that reads tables.
        settings: of the view.

    Raises:
        ConfigError: none of them looks at anything.
        DataError: a text that cannot be read, or is too long for a run.
    """
    asked: list[tuple[ViewedRun, Looking]] = [
        (ViewedRun(source.name, told_of(source.run.folder), [], source.moment),
         Looking(source.run, source.checkpoint, settings))
        for source in sources(named.runs, settings.checkpoints)
    ]  # fmt: skip
    texts = read(any(looking.answers.whole for _, looking in asked))
    others = [
        (ViewedRun(folder.resolve().name, told_of(folder.resolve()), []), Pretrained(folder))
        for folder in named.pretrained
    ]
    told: list[Sequence[Asked]] = []
    found = []
    both: list[tuple[ViewedRun, Looking | Pretrained]] = [*asked, *others]
    for run, looking in both:
        items, viewed = looking.texts(texts)
        told.append(items)
        found.append(run._replace(items=viewed))
    return whole(named.runs, told[0], found)


def collect_recorded(named: Named, settings: Settings) -> Collected:
    """What runs looked at in the same validation items over their training.

    Raises:
        ConfigError: a run has recorded nothing, or they have no item in common.
        DataError: a file of it is damaged.
    """
    if named.pretrained:
        raise ConfigError(f"over_training=true: {named.pretrained[0]} is a model without a record of its training")
    every = [(source, recorded(source.run.folder)) for source in sources(named.runs, ["best"])]
    for source, moments in every:
        if not moments:
            raise ConfigError(
                f"over_training=true: {source.run.folder} has recorded nothing over its training; train with "
                "callbacks.attention_maps.record=true, and a mechanism that has weights"
            )
    numbers = common([moment for _, moments in every for moment in moments])
    numbers = [numbers[place] for place in settings.numbers(len(numbers))]
    kept = {item.number: item for item in every[0][1][0].maps}
    asked = [asked_of(kept[number]) for number in numbers]
    found = [
        ViewedRun(source.name, told_of(source.run.folder), items_at(moment, numbers), named_moment(moment, moments))
        for source, moments in every
        for moment in moments
    ]
    return whole(named.runs, asked, found)


def common(moments: Sequence[Moment]) -> list[int]:
    """The numbers of the items that were looked at at all of them.

    Raises:
        ConfigError: there are none.
    """
    shared = set.intersection(*({item.number for item in moment.maps} for moment in moments))
    if not shared:
        raise ConfigError("runs: they have looked at no validation item in common; view runs of one data set")
    return sorted(shared)


def items_at(moment: Moment, numbers: Sequence[int]) -> list[Viewed]:
    maps = {item.number: item for item in moment.maps}
    return [viewed(maps[number], None) for number in numbers]


def asked_of(item: AttentionMap) -> Asked:
    """Its texts, as far as the names of its map are some."""
    if item.lags:
        return Asked(f"validation, number {item.number}")
    return Asked(text_of(item.source_tokens), "" if item.note is not None else text_of(item.target_tokens))


def text_of(pieces: Sequence[str]) -> str:
    """To be read: pieces joined to words, without the end of the sentence."""
    return " ".join(spelled(pieces, words_of(pieces))).removesuffix(SPECIALS[EOS]).rstrip()


def named_moment(moment: Moment, moments: Sequence[Moment]) -> str:
    """By its epoch; by its update, too, where an epoch has several validations."""
    often = sum(moment.epoch == other.epoch for other in moments) > 1
    return f"epoch {moment.epoch}, update {moment.step:,}" if often else f"epoch {moment.epoch}"


def require_alike(runs: Sequence[Run], settings: Settings) -> None:
    """Raise ConfigError unless all runs were tested on the same items."""
    first = [(item.input, item.reference) for item in items_of(runs[0], settings)]
    for run in runs[1:]:
        if [(item.input, item.reference) for item in items_of(run, settings)] != first:
            raise ConfigError(
                f"runs: {run.folder} was tested on other items than {runs[0].folder}; view runs of one data set, or "
                "give texts that all of them read: input=my.txt"
            )


def whole(runs: Sequence[Run], asked: Sequence[Asked], found: Sequence[ViewedRun]) -> Collected:
    """All of it, with what it is called."""
    if not any(item.looks for run in found for item in run.items):
        raise ConfigError("runs: none of them looks at anything: these mechanisms have no weights")
    words = runs[0].contents.words if runs else TEXTS
    quantity = scored(runs[0]) if runs else None
    dataset = runs[0].labels.get("dataset", "") if runs else ""
    return Collected(
        title=f"{', '.join(dict.fromkeys(run.run for run in found))}{f' on {dataset}' if dataset else ''}",
        items=asked,
        runs=found,
        words=words,
        sides=(words.columns, words.rows),
        score="" if quantity is None else quantity.title,
        higher_is_better=quantity is None or quantity.higher_is_better is not False,
        languages=languages(runs[0].config) if runs else ("", ""),
    )


def told_of(folder: Path) -> str:
    """Where it lies, without what is of this machine alone."""
    return "/".join(folder.parts[-4:])
