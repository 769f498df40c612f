"""Every text can be drawn without a warning, whatever fonts a machine has."""

import warnings
from collections.abc import Sequence

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

from attnlab.viz import fonts

ODD = [
    "plain",
    "äöüß",
    "Привет",
    "漢字",
    "かな",
    "한국어",
    "𓀀𓀁",
    "क",
    "\n",
    "\u200b",
    "\u2028",
    "\ud800",
    "$5$",
    "\\frac",
]


@pytest.fixture
def only_dejavu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "installed", lambda: ())


def draw(texts: Sequence[str], families: Sequence[str]) -> None:
    """Draw the texts by themselves; a missing glyph is a warning, and warnings are errors here."""
    figure = Figure()
    for text in texts:
        figure.text(0, 0, text, fontfamily=list(families), parse_math=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FigureCanvasAgg(figure).draw()


def test_nothing_warns() -> None:
    draw(*fonts.legible(ODD))


@pytest.mark.usefixtures("only_dejavu")
def test_nothing_warns_without_fonts() -> None:
    shown, families = fonts.legible(ODD)
    assert families == ["DejaVu Sans"]
    draw(shown, families)
    with pytest.raises(UserWarning, match="missing from font"):  # what it is all for
        draw(["漢字"], families)


@pytest.mark.usefixtures("only_dejavu")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Straße", "Straße"),
        ("▁the", "▁the"),
        ("漢字", "U+6F22 U+5B57"),
        ("a漢字b", "aU+6F22 U+5B57b"),
        ("a\nb", "aU+000Ab"),
        ("\U00013000", "U+13000"),
        (" ", "␣"),
        ("  ", "␣␣"),
        ("a b", "a b"),
        ("", ""),
        ("\u200b", "U+200B"),
        ("\u00a0", "U+00A0"),
        ("e\u0301", "e\u0301"),
    ],
)
def test_spelling(text: str, shown: str) -> None:
    assert fonts.legible([text])[0] == [shown]


def test_characters_are_those_of_the_file() -> None:
    path = findfont(FontProperties(family="DejaVu Sans"))
    assert set(fonts.characters("DejaVu Sans").tolist()) == set(get_font(path).get_charmap())
    assert not fonts.characters("No Such Font").size


def coverage(table: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that these fonts with these characters are installed, besides DejaVu Sans with ASCII."""
    table = {"DejaVu Sans": "".join(map(chr, range(128))), **table}
    known = {name: np.array(sorted(map(ord, text)), dtype=np.uint32) for name, text in table.items()}
    monkeypatch.setattr(fonts, "installed", lambda: tuple(name for name in table if name != "DejaVu Sans"))
    monkeypatch.setattr(fonts, "characters", lambda name: known[name])


def test_script_decides_between_countries(monkeypatch: pytest.MonkeyPatch) -> None:
    han = "本書字"
    cjk = {f"Noto Sans CJK {country}": han + "かカ한" for country in ("JP", "KR", "SC")}
    coverage(cjk, monkeypatch)
    assert fonts.families("read 本") == ["DejaVu Sans", "Noto Sans CJK SC"]
    assert fonts.families("本 か") == ["DejaVu Sans", "Noto Sans CJK JP"]
    assert fonts.families("本 カ") == ["DejaVu Sans", "Noto Sans CJK JP"]
    assert fonts.families("本 한") == ["DejaVu Sans", "Noto Sans CJK KR"]
    assert fonts.families("read") == ["DejaVu Sans"]


def test_fonts_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    coverage({"Useless": "xyz", "Some Han": "本", "Some Kana": "か本", "Never Reached": "本か"}, monkeypatch)
    assert fonts.families("本か") == ["DejaVu Sans", "Some Han", "Some Kana"]
    assert fonts.legible(["本か𓀀", "ok"]) == (["本かU+13000", "ok"], ["DejaVu Sans", "Some Han", "Some Kana"])


def test_installed_fonts_are_plain_ones_of_the_system() -> None:
    names = fonts.installed()
    assert not [name for name in names if name.startswith(("cm", "STIX", "Last Resort"))]
    for name in names:
        assert FontProperties(fname=findfont(FontProperties(family=name), fallback_to_default=False))


def test_font_installed_since_matplotlib_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fonts.installed()
    if not before:
        pytest.skip("no font is installed besides matplotlib's own")
    own = [font for font in fontManager.ttflist if "mpl-data" in font.fname]  # what an old font cache knows
    monkeypatch.setattr(fontManager, "ttflist", own)
    fonts.installed.cache_clear()
    assert fonts.installed() == before


def test_real_chinese_font_draws_chinese() -> None:
    shown, families = fonts.legible(["图书馆"])
    if len(families) == 1:
        pytest.skip("no installed font has Chinese characters")
    assert shown == ["图书馆"]
    draw(shown, families)
