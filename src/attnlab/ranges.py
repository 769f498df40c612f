"""Numbers with a range, and text of a kind, for the annotations of constructors.

A constructor's signature is the schema of its settings: what stands here is checked, and told with the key, before
anything is read or built (``attnlab.cli.config.check`` reads it off the source). For whoever calls a constructor the
names are plain ``int``, ``float`` and ``str``: nothing is checked at run time, and nothing costs time. Any
``Annotated[int, Interval(ge=…, le=…)]`` elsewhere does as well. NaN and infinity pass nowhere.
"""

import re
from collections.abc import Callable
from typing import Annotated, cast

from annotated_types import Interval, Predicate


class Pattern(Predicate):
    """Text that a regular expression matches whole, and what messages call such text."""

    called: str

    def __init__(self, expression: str, called: str) -> None:
        super().__init__(cast(Callable[[str], bool], re.compile(expression, re.DOTALL).fullmatch))
        object.__setattr__(self, "called", called)


Width = Annotated[int, Interval(ge=1, le=16_777_216)]  #: features, heads, rows of a table; memory bounds it sooner
Depth = Annotated[int, Interval(ge=1, le=1_000)]  #: layers; DeepNet (Wang et al. 2022) has as many
OneOrMore = Annotated[int, Interval(ge=1, le=1_000_000_000_000)]
Entries = Annotated[int, Interval(ge=5, le=1_000_000_000_000)]  #: of a vocabulary: four are special symbols
ZeroOrMore = Annotated[int, Interval(ge=0, le=1_000_000_000_000)]
Processes = Annotated[int, Interval(ge=0, le=1_024)]
Hypotheses = Annotated[int, Interval(ge=1, le=10_000)]  #: of one sentence that a search keeps
Seed = Annotated[int, Interval(ge=0, le=4_294_967_295)]  #: what numpy takes

Probability = Annotated[float, Interval(ge=0, le=1)]
Fraction = Annotated[float, Interval(ge=0, lt=1)]  #: dropout, smoothing, decay: all of it would leave nothing
Level = Annotated[float, Interval(gt=0, lt=1)]  #: of a quantile
Share = Annotated[float, Interval(gt=0, le=1)]
Positive = Annotated[float, Interval(gt=0, le=1_000_000_000)]
Weight = Annotated[float, Interval(ge=0, le=1_000_000_000)]
Real = Annotated[float, Interval(ge=-1_000_000_000, le=1_000_000_000)]  #: any finite number
Seconds = Annotated[float, Interval(gt=0, le=86_400)]

PathText = Annotated[str, Pattern(r"[^\0]*[^\s\0][^\0]*", "a path")]  #: an empty one would be the folder one stands in
FileName = Annotated[str, Pattern(r"(?![.])[^/\0-\x1f]*[^\s/\0-\x1f]", "a name of a file or folder, without /")]
Duration = Annotated[str, Pattern(r"\d+:\d\d:\d\d:\d\d", "a duration, DD:HH:MM:SS")]
