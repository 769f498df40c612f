"""Checks of constructor options; the message names the option, what came and what was expected."""

import math

from attnlab.types import ConfigError


def whole(name: str, value: object, at_least: int, at_most: int | None = None) -> int:
    """Return ``value`` if it is a whole number in ``[at_least, at_most]``.

    Raises:
        ConfigError: it is not.
    """
    limit = math.inf if at_most is None else at_most
    if isinstance(value, int) and not isinstance(value, bool) and at_least <= value <= limit:
        return value
    upper = "" if at_most is None else f" and at most {at_most}"
    raise ConfigError(f"{name}={value!r}: expected a whole number, at least {at_least}{upper}")


def number(name: str, value: object, above: float, inclusive: bool = True, at_most: float = math.inf) -> float:
    """Return ``value`` if it is a finite number above (or at) ``above`` and at most ``at_most``.

    Raises:
        ConfigError: it is not.
    """
    found = float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
    if above <= found <= at_most and found != math.inf and (inclusive or found > above):
        return found
    lower = f"at least {above:g}" if inclusive else f"above {above:g}"
    upper = "" if at_most == math.inf else f" and at most {at_most:g}"
    raise ConfigError(f"{name}={value!r}: expected a number, {lower}{upper}")


def flag(name: str, value: object) -> bool:
    """Return ``value`` if it is true or false.

    Raises:
        ConfigError: it is not.
    """
    if isinstance(value, bool):
        return value
    raise ConfigError(f"{name}={value!r}: expected true or false")
