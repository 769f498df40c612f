"""What earlier versions called otherwise: old configurations, and other people's code and presets, still say it so."""

import re

from attnlab.errors import ConfigError

_SCORES = (
    "bahdanau", "bahdanau_normed", "cosine", "coverage", "key_value", "last", "location_aware", "luong_concat",
    "luong_dot", "luong_general", "luong_location", "neural_coverage", "random_fixed", "scaled_dot", "tanh_dot",
    "tutorial_concat", "uniform",
)  # fmt: skip
_CORPORA = ("europarl", "huggingface", "iwslt14", "multi30k", "newstest", "parallel", "tanaka", "tatoeba")
_GRAMMAR = ("clauses", "draw", "forms", "lexicon", "phrases", "sampler", "tree", "verbs")
_CLI = {
    "commands": ("compare", "dashboard", "evaluate", "export", "gallery", "predict", "train", "translate"),
    "config": (
        "annotations", "check", "command_line", "compose", "conflicts", "consequences", "expansion", "fitting",
        "foreign", "kinds", "machine", "monitors", "overrides", "parsing", "repository", "signature", "source", "vain",
    ),
    "multirun": (
        "attempt", "combinations", "job_return", "resume_multirun", "side_by_side", "study", "swept",
    ),
}  # fmt: skip

MODULES = {
    **{f"attnlab.attention.{name}": f"attnlab.attention.scores.{name}" for name in _SCORES},
    **{f"attnlab.data.{name}": f"attnlab.data.corpora.{name}" for name in _CORPORA},
    **{f"attnlab.data.grammar_{name}": f"attnlab.data.corpora.grammar.{name}" for name in _GRAMMAR},
    "attnlab.data.grammar": "attnlab.data.corpora.grammar.corpus",
    "attnlab.data.prepare": "attnlab.data.prepared.prepare",
    "attnlab.data.ragged": "attnlab.data.prepared.ragged",
    "attnlab.data.workers": "attnlab.data.prepared.workers",
    **{f"attnlab.cli.{name}": f"attnlab.cli.{part}.{name}" for part, names in _CLI.items() for name in names},
    "attnlab.callbacks.history": "attnlab.callbacks.history_file",
    "attnlab.cli.idle": "attnlab.cli.config.unused",
    "attnlab.cli.once": "attnlab.cli.multirun.resumable",
    "attnlab.cli.quiet": "attnlab.cli.logging",
    "attnlab.kernels.dust": "attnlab.kernels.denormals",
    "attnlab.search.trail": "attnlab.search.backpointers",
    "attnlab.tasks.teacher_forcing": "attnlab.tasks.translation.teacher_forcing",
}
NAMES = {  # of what is in a module
    "attnlab.callbacks.history.History": "attnlab.callbacks.history_file.HistoryFile",
    "attnlab.callbacks.sample_translations.SampleTranslations": "attnlab.callbacks.samples.Samples",
    "attnlab.data.prepared.Prepared": "attnlab.data.prepared.folder.Prepared",
    "attnlab.attention.base.Asked": "attnlab.attention.base.QueryKeyPart",
    "attnlab.attention.base.Weighed": "attnlab.attention.base.WindowOutput",
    "attnlab.decoders.base.Laid": "attnlab.decoders.base.DecodingWeights",
    "attnlab.kernels.dust.without_dust": "attnlab.kernels.denormals.without_denormals",
    "attnlab.search.trail.Trail": "attnlab.search.backpointers.Backpointers",
}
ATTRIBUTES = {  # of mechanisms, their parts, decoders and models
    "begin": "initial_state",
    "carry": "next_state",
    "draws_alignment": "has_weights",
    "lay_out": "decoding_weights",
}
_OURS = re.compile(r"(?<![\w.])attnlab(?:\.\w+)+")
_IMPORTED = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")


def current(name: str) -> str:
    """The dotted name that something of this package has now; any other name as it is."""
    if name in NAMES or name in MODULES:
        return NAMES.get(name) or MODULES[name]
    module, dot, rest = name.rpartition(".")
    return f"{MODULES[module]}{dot}{rest}" if module in MODULES else name


def currently(text: str) -> str:
    """A line that somebody once typed, as it would be typed now."""
    return _OURS.sub(lambda match: current(match[0]), text)


def told(error: BaseException) -> str:
    """Of a use of an old name: a hint that goes behind what was said; empty of any other error."""
    if isinstance(error, AttributeError) and error.name in ATTRIBUTES:
        return f" (it is {ATTRIBUTES[error.name]} now)"
    if isinstance(error, ModuleNotFoundError):
        old = str(error.name)
    else:
        found = _IMPORTED.match(str(error)) if isinstance(error, ImportError) else None
        old = f"{found[2]}.{found[1]}" if found else ""
    return f" (it is {current(old)} now)" if current(old) != old else ""


def refuse(kind: type, *names: str) -> None:
    """See that a class of somebody's defines nothing by a name that is not called any more.

    Raises:
        ConfigError: it does.
    """
    for name in names:
        if name in vars(kind):
            raise ConfigError(f"{kind.__qualname__}.{name} would never be called: it is {ATTRIBUTES[name]} now")
