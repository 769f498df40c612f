"""The settings that all runs share, a line a group, and those in which they differ."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from attnlab.analysis.comparison import Comparison
from attnlab.analysis.groups import settings_of
from attnlab.analysis.latex import breakable, escaped, float_of
from attnlab.analysis.report.tables import differences
from attnlab.analysis.runs import Run
from attnlab.analysis.values import show, without_effect

REFERENCE = re.compile(r"\$\{(?:oc\.select:)?([\w.]+)(?:,([^{}]*))?\}")
AT_ROOT = "run"  #: the line of the settings that stand in no group
PLAIN = (bool, int, float, str)


def shared(runs: Sequence[Run]) -> dict[str, Any]:
    """Settings that have one value in all runs, by key, as far as they are values; references are followed."""
    first, *rest = [resolved(found) for found in settings_of(runs)]
    return {key: value for key, value in first.items() if all(other.get(key, REFERENCE) == value for other in rest)}


def resolved(settings: Mapping[str, Any]) -> dict[str, Any]:
    """With what references lead to in their place; those that lead to no value are left out, and so is null."""
    told = {key: followed(value, settings) for key, value in settings.items()}
    return {key: value for key, value in told.items() if is_plain(value)}


def followed(value: Any, settings: Mapping[str, Any]) -> Any:
    """What a reference leads to, in the end; of one that leads in a circle nothing."""
    for _ in range(len(settings)):
        reference = REFERENCE.fullmatch(value) if isinstance(value, str) else None
        if reference is None:
            return value
        value = settings.get(reference[1], yaml.safe_load(reference[2] or "null"))
    return None


def is_plain(value: Any) -> bool:
    """Whether it is a value, or a list of some, that can be told in a line."""
    parts = value if isinstance(value, list) and value else [value]
    return all(isinstance(part, PLAIN) and "${" not in str(part) for part in parts)


def all_runs(comparison: Comparison) -> list[Run]:
    return [part for item in comparison.configurations for run in item.runs for part in run.parts]


def settings_tables(comparison: Comparison) -> list[str]:
    """As LaTeX: what is shared, and what differs, where something does."""
    lines = list(by_group(all_runs(comparison)))
    body = [r"    \begin{tabular}{@{}l>{\raggedright\arraybackslash}p{0.8\textwidth}@{}}", r"      \toprule"]
    body += [f"      {escaped(group)} & {told} \\\\" for group, told in lines]
    body += [r"      \bottomrule", r"    \end{tabular}"]
    tables = [float_of("settings", "Settings that all runs share; what is null is left out.", body, broad=True)]
    differing = differences(comparison)
    if differing:
        body = [r"    \begin{tabular}{@{}l>{\raggedright\arraybackslash}p{0.7\textwidth}@{}}", r"      \toprule"]
        for key, values in differing:
            told = "; ".join(f"{breakable(value)} ({', '.join(map(breakable, names))})" for value, names in values)
            body.append(f"      {breakable(key)} & {told} \\\\")
        body += [r"      \bottomrule", r"    \end{tabular}"]
        caption = "Settings in which configurations differ, with the configurations that have each value."
        tables.append(float_of("differences", caption, body, broad=True))
    return tables


def by_group(runs: Sequence[Run]) -> Iterator[tuple[str, str]]:
    """Each group with its option and its values."""
    values, options = shared(runs), same_choices(runs)
    groups: dict[str, list[str]] = {}
    for key, value in values.items():
        group, _, rest = key.partition(".")
        if key.endswith("_target_") or (group == "data" and rest in ("corpus", "tokenizer")):
            continue
        told = f"{rest or group} {show(value)}"
        groups.setdefault(group if rest else AT_ROOT, []).append(breakable(told))
    for group in [*groups, *(name for name in options if name not in groups and "/" not in name)]:
        inner = [f"{breakable(name.partition('/')[2])} {breakable(option)}" for name, option in options.items()
                 if name.startswith(f"{group}/")]  # fmt: skip
        head = [f"\\textbf{{{breakable(options[group])}}}"] if group in options else []
        yield group, ", ".join([*head, *inner, *groups.get(group, [])])


def same_choices(runs: Sequence[Run]) -> dict[str, str]:
    """The options that all runs have chosen."""
    first = runs[0].choices
    same = {name: option for name, option in first.items() if all(run.choices.get(name) == option for run in runs)}
    return {name: str(option) for name, option in same.items() if option is not None and not without_effect(name)}
