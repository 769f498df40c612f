"""Quantities are found by walking a package, by entry points, and by registration; a name is taken once."""

import importlib.metadata
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from attnlab.errors import ConfigError
from attnlab.metrics import quantities, registry
from attnlab.metrics.quantity import Plain, Quantity

MINE = Plain(name="mine", title="mine", better="lower")


@pytest.fixture(autouse=True)
def _forgetting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", {})
    registry._installed.cache_clear()


def installed(monkeypatch: pytest.MonkeyPatch, *points: tuple[str, str]) -> None:
    found = [EntryPoint(name, value, registry.GROUP) for name, value in points]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: found if group == registry.GROUP else [])


def test_every_file_of_the_package_has_a_quantity_of_its_name() -> None:
    known = registry.known()
    for path in Path(quantities.__path__[0]).glob("*.py"):
        if path.stem not in ("__init__", "costs", "explanation"):
            assert type(known[path.stem]).__module__ == f"{quantities.__name__}.{path.stem}"
    assert {"params", "train/seconds", "peak_memory_mib"} <= known.keys()
    assert all(name == quantity.id for name, quantity in known.items())
    assert all(registry.package_of(quantity) == "attnlab" for quantity in known.values())


def test_an_installed_package(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, ("mine", f"{__name__}:MINE"))
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    assert registry.find("mine") is MINE
    assert registry.of_key("test/mine") is MINE
    assert registry.mode_of("val/mine", None, "x") == "min"
    assert registry.known()["mine"] is MINE
    assert registry.package_of(MINE) == __name__.partition(".")[0]


@pytest.mark.parametrize(
    ("point", "told"),
    [
        (("other", f"{__name__}:MINE"), "is the quantity mine; call the entry point so"),
        (("mine", "nowhere_at_all:MINE"), "cannot be loaded: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        (("mine", f"{__name__}:THEIRS"), "cannot be loaded"),
        (("mine", f"{__name__}:installed"), "is a function; expected a Quantity"),
    ],
)
def test_an_entry_point_that_is_wrong(point: tuple[str, str], told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, point)
    with pytest.raises(ConfigError, match=told):
        registry.find(point[0])
    assert registry.find("bleu") is not None  # no harm to others


def test_a_name_that_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, ("bleu", "theirs.scores:BLEU"))
    with pytest.raises(ConfigError, match="two quantities are called bleu: that of attnlab and that of theirs"):
        registry.known()
    registry._installed.cache_clear()
    installed(monkeypatch, ("mine", "first:MINE"), ("mine", "second:MINE"))
    with pytest.raises(ConfigError, match="called mine: that of first and that of second"):
        registry.find("anything")


def test_registration() -> None:
    registry.register("theirs", MINE)
    registry.register("theirs", MINE)  # its module may be imported anew
    assert registry.find("mine") is MINE
    assert registry.package_of(MINE) == "theirs"
    with pytest.raises(ConfigError, match="called mine: that of theirs and that of others"):
        registry.register("others", Plain(name="mine", title="other", better="higher"))
    with pytest.raises(ConfigError, match="called bleu: that of attnlab and that of others"):
        registry.register("others", Plain(name="bleu", title="other", better="higher"))


def test_a_name_is_enough_without_numpy() -> None:
    code = (
        "import sys; from attnlab.metrics.registry import mode_of; print(mode_of('val/bleu', None, 'x'));"
        "print([name for name in ('numpy', 'torch', 'sacrebleu', 'jaxtyping') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "max\n[]\n"


def test_keys() -> None:
    seconds: Quantity | None = registry.find("train/seconds")
    assert seconds is not None
    assert seconds.key("test") == "train/seconds"
    assert MINE.key("test") == "test/mine"
    assert MINE.key() == "<split>/mine"
