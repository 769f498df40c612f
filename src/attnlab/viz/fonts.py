"""Which installed fonts can draw a text, and what to draw where none can.

Matplotlib draws each character with the first font of a list that has it, and warns where none has. DejaVu
Sans comes with matplotlib and has the Latin, Greek, Cyrillic and Arabic scripts; Chinese, Japanese and Korean
need a font of the system, such as Debian's ``fonts-noto-cjk`` (one installed later is found all the same).
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from itertools import groupby
from pathlib import Path
from unicodedata import category

import numpy as np
from jaxtyping import UInt32

DEFAULT = "DejaVu Sans"

# One Han character is drawn differently in each country: kana speak for Japanese, hangul for Korean.
JAPANESE = ("Noto Sans CJK JP", "Noto Sans JP", "IPAexGothic", "IPAGothic", "Hiragino Sans", "Yu Gothic")
KOREAN = ("Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "Apple SD Gothic Neo", "Malgun Gothic")
CHINESE = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "WenQuanYi Micro Hei",
    "PingFang SC",
    "Microsoft YaHei",
    "SimHei",
)
INVISIBLE = ("Cc", "Cs", "Zl", "Zp")  #: Unicode categories: controls, surrogates, line and paragraph ends


def legible(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Make texts drawable without a warning.

    Returns:
        The texts, with what no installed font has spelt out, and the font families to draw them with.
        漢字 becomes ``U+6F22 U+5B57``; control characters are spelt too, and a text that would be invisible.
        A text of blanks alone becomes ``␣``, one for each.
    """
    codes = _codes("".join(texts))
    fonts = families("".join(texts))
    has = np.isin(codes, np.concatenate([characters(font) for font in fonts]))
    known = {chr(code) for code in codes[has]}
    return [_spell(text, known) for text in texts], fonts


def families(text: str) -> list[str]:
    """Choose font families that together have as many characters of ``text`` as the installed fonts have."""
    chosen = [DEFAULT]
    missing = np.setdiff1d(_codes(text), characters(DEFAULT))
    for name in _candidates(text) if missing.size else ():
        left = np.setdiff1d(missing, characters(name))
        if left.size < missing.size:
            chosen.append(name)
            missing = left
        if not missing.size:
            break
    return chosen


@cache
def characters(family: str) -> UInt32[np.ndarray, " codes"]:
    """List the code points of the font that matplotlib takes for ``family``; none where it cannot be read."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    codes: list[int] = []
    with suppress(OSError, RuntimeError, ValueError):  # not installed, or not a font that FreeType reads
        path = findfont(FontProperties(family=family), fallback_to_default=False)
        codes = sorted(get_font(path).get_charmap())
    return np.array(codes, dtype=np.uint32)


@cache
def installed() -> tuple[str, ...]:
    """Name the system's upright fonts of regular weight, sans-serif ones first."""
    import matplotlib
    from matplotlib.font_manager import findSystemFonts, fontManager

    for path in set(findSystemFonts()) - {font.fname for font in fontManager.ttflist}:
        with suppress(Exception):  # as matplotlib does: fonts are what users have, and some are broken
            fontManager.addfont(path)
    # Matplotlib's own fonts besides DejaVu are for mathematics: their code points are not Unicode's.
    own = Path(matplotlib.get_data_path())
    names = {
        font.name
        for font in fontManager.ttflist
        if font.weight in (400, "normal", "regular") and font.style == "normal" and own not in Path(font.fname).parents
    }
    return tuple(sorted(names, key=lambda name: ("Sans" not in name and "Gothic" not in name, name)))


def _candidates(text: str) -> list[str]:
    """Order the installed fonts: those of the language that the text seems to be in come first."""
    preferred = (*CHINESE, *JAPANESE, *KOREAN)
    if any("\u3040" <= character <= "\u30ff" for character in text):
        preferred = (*JAPANESE, *CHINESE, *KOREAN)
    elif any("\uac00" <= character <= "\ud7af" for character in text):
        preferred = (*KOREAN, *CHINESE, *JAPANESE)
    known = installed()
    return [name for name in preferred if name in known] + [name for name in known if name not in preferred]


def _spell(text: str, known: set[str]) -> str:
    if not text.strip(" "):
        return "␣" * len(text)
    hidden = all(category(character)[0] in "CZ" for character in text)  # controls, formats, separators
    runs = groupby(text, lambda letter: not hidden and letter in known and category(letter) not in INVISIBLE)
    return "".join(
        "".join(run) if drawn else " ".join(f"U+{ord(character):04X}" for character in run) for drawn, run in runs
    )


def _codes(text: str) -> UInt32[np.ndarray, " length"]:
    return np.array([ord(character) for character in text], dtype=np.uint32)
