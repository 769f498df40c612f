"""Files that are no UTF-8 text, told by how they begin: one line says what was seen and what to do."""

from codecs import getincrementaldecoder

from attnlab.data.text import visible

SAMPLE = 1 << 16  #: bytes that are looked at

_MARKS = {  # the longer ones first: UTF-32's little-endian mark begins as UTF-16's
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
_ARCHIVES = {
    b"BZh": "bzip2 (bzip2 -d)",
    b"\xfd7zXZ\x00": "xz (xz -d)",
    b"\x28\xb5\x2f\xfd": "zstd (zstd -d)",
    b"PK\x03\x04": "zip, or an office document (unzip, or save as text)",
    b"7z\xbc\xaf\x27\x1c": "7z (7z x)",
    b"%PDF": "PDF (pdftotext)",
    b"PAR1": "Parquet (dataset=huggingface dataset.path=parquet)",
}
_SEVENBIT = (b"\x1b$B", b"\x1b$@", b"\x1b$)")  # what ISO-2022 switches to double bytes with
_FEW, _SHARE = 3, 0.05  # so many lines that are no UTF-8 are a few broken ones; more are another encoding
_NULS, _SOME = 0.1, 16  # of the bytes of what may still be called text; so many are a broken line


def foreign(sample: bytes) -> str | None:
    """Why what begins with ``sample`` is no UTF-8 text; None where it may be (single lines may still be broken)."""
    for start, name in _ARCHIVES.items():
        if sample.startswith(start):
            return f"this is {name}; expected plain text or gzip"
    encoding = _wide(sample)
    if encoding is not None:
        return _advice(f"this is {encoding} text", encoding)
    if sample.count(0) > max(_SOME, _NULS * len(sample)):
        return f"this is no text: {sample.count(0)} of the first {len(sample)} bytes are NUL; expected UTF-8 text"
    if any(switch in sample for switch in _SEVENBIT):
        return _advice("this is ISO-2022 text", "ISO-2022-JP")
    if b"\r" in sample.rstrip(b"\r") and b"\n" not in sample:
        return r"lines end in CR alone, as on old Macs; expected LF or CR LF: tr '\r' '\n' < FILE > NEW converts"
    return _narrow(sample)


def _wide(sample: bytes) -> str | None:
    """UTF-16 or UTF-32, by its mark, or by what its blanks and line ends look like."""
    for mark, name in _MARKS.items():
        if sample.startswith(mark):
            return name
    if b"\0" not in sample:
        return None
    ascii_blanks = sample.count(b" ") + sample.count(b"\n")
    for name in _WIDE:
        try:
            text = getincrementaldecoder(name)().decode(sample)  # a character that the sample cuts is no error
        except UnicodeDecodeError:
            continue
        blanks = text.count(" ") + text.count("\n")
        if visible(text) and "\0" not in text and (2 * blanks >= ascii_blanks if ascii_blanks else _latin(text)):
            return name.upper().replace("-LE", "LE").replace("-BE", "BE")
    return None


def _latin(text: str) -> bool:
    return sum(character < "\u0250" for character in text) > len(text) / 2


def _narrow(sample: bytes) -> str | None:
    """An encoding of one byte a character, or an Asian one: lines beyond ASCII are hardly ever UTF-8 by chance."""
    lines = sample.split(b"\n")
    beyond = [line for line in (lines[:-1] or lines) if not line.isascii()]
    broken = sum(not _is_utf8(line) for line in beyond)
    if broken < max(_FEW, _SHARE * len(lines)) or broken * 10 < 9 * len(beyond):
        return None
    seen = f"this is no UTF-8: {broken} of the first {len(lines)} lines cannot be decoded"
    return _advice(f"{seen} (ISO-8859-1? Windows-1252?)", "ISO-8859-1")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _advice(seen: str, encoding: str) -> str:
    return f"{seen}, expected UTF-8: iconv -f {encoding} -t UTF-8 FILE > NEW converts"
