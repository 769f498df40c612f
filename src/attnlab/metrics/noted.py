"""What was noted of an item, read with suspicion: a line of a file may hold anything."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attnlab.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float


def each(count: Callable[[Any], Any], records: Iterable[Any]) -> list[Any]:
    """What each line says.

    Raises:
        DataError: with the number of the line.
    """
    found = []
    for number, record in enumerate(records, 1):
        try:
            found.append(count(record))
        except DataError as error:
            raise DataError(f"line {number}: {error}") from error
    return found


def table(title: str, found: Sequence[Any]) -> "Float[np.ndarray, 'N C']":
    """What each of N items contributes to a quantity of this title.

    Raises:
        DataError: it is something else than equally many finite numbers.
    """
    import numpy as np

    try:
        rows = np.array(found, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{title}: what items contribute is no table of numbers ({error})") from error
    if rows.ndim != 2 or not np.isfinite(rows).all():
        raise DataError(f"{title}: what items contribute is no table of finite numbers")
    return rows


def numbers(name: str, value: Any, size: int) -> list[float] | None:
    """A vector of counts as a record has it; None where it has none.

    Raises:
        DataError: it is something else than so many numbers.
    """
    if value is None:
        return None
    found = value if isinstance(value, list | tuple) else [value]
    if len(found) != size or any(isinstance(v, bool) or not isinstance(v, int | float) for v in found):
        raise DataError(f"{name} is {value!r}, expected {size} numbers")
    return list(found)


def classes_of(record: Mapping[str, Any]) -> tuple[str, str] | None:
    """The class that an item has and the one that it was given; None where the record does not say.

    Raises:
        DataError: one of them is no name.
    """
    found = record.get("label"), record.get("predicted")
    if None in found:
        return None
    if not all(isinstance(name, str) for name in found):
        raise DataError(f"label and predicted are {found[0]!r} and {found[1]!r}, expected the names of classes")
    return str(found[0]), str(found[1])


def probabilities_of(record: Mapping[str, Any]) -> dict[str, float] | None:
    """The probability of every class; None where the record does not say.

    Raises:
        DataError: they are no numbers from 0 to 1 by name.
    """
    found = record.get("probabilities")
    if found is None:
        return None
    fitting = (
        isinstance(found, Mapping)
        and found
        and all(
            isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
            for value in found.values()
        )
    )
    if not fitting:
        raise DataError(f"probabilities are {str(found)[:80]}, expected a number from 0 to 1 for every class")
    return dict(found)


def forecast_of(record: Mapping[str, Any]) -> "tuple[Float[np.ndarray, 'H K'], Float[np.ndarray, 'H K']] | None":
    """What came of a series and what was forecast, a row a step, a column a target; None where a record does not say.

    Raises:
        DataError: they are no tables of numbers of one shape.
    """
    came, forecast = record.get("truth"), record.get("told")
    if came is None or forecast is None:
        return None
    truth, told = table("truth", came), table("told", forecast)
    if truth.shape != told.shape or not truth.size:
        raise DataError(f"truth is {truth.shape} and told {told.shape}, expected numbers of the same steps and targets")
    return truth, told


def quantiles_of(record: Mapping[str, Any]) -> "dict[float, Float[np.ndarray, 'H K']] | None":
    """The quantiles that were forecast, by their levels; None where a record has none.

    Raises:
        DataError: they are no tables of numbers by levels between 0 and 1.
    """
    found = record.get("quantiles")
    if found is None:
        return None
    try:
        levels = {float(level): values for level, values in found.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise DataError(f"quantiles are {str(found)[:80]}, expected a table of numbers by level") from error
    if not levels or not all(0 < level < 1 for level in levels):
        raise DataError(
            f"quantiles are of {', '.join(map(str, levels)) or 'no level'}, expected levels between 0 and 1"
        )
    return {level: table(f"quantile {level}", levels[level]) for level in sorted(levels)}
