"""Fetching the files of a public corpus: checked, atomic, with a progress bar."""

import gzip
import hashlib
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, NamedTuple, cast
from urllib.request import Request, urlopen

from attnlab.console import console
from attnlab.data.reading import find
from attnlab.types import DataError

TIMEOUT = 10.0  #: seconds without a byte before a server counts as unreachable
_CHUNK = 1 << 16
_AGENT = "Mozilla/5.0 (compatible; attnlab)"  # manythings.org answers 406 to Python's own name


class Member(NamedTuple):
    """One file of an archive and the name it gets in the corpus's folder."""

    path: str
    name: str
    convert: Callable[[bytes], bytes] | None = None  #: from the archive's form to plain lines


class Remote(NamedTuple):
    """Where a file is published."""

    url: str
    digest: str | None  #: "sha256:…" or "md5:…"; None where the publisher replaces the file now and then
    members: tuple[Member, ...] = ()  #: for an archive; () where the address is the file itself


def obtain(folder: Path, name: str, source: str, remote: Remote | None, download: bool) -> Path:
    """Find ``NAME`` or ``NAME.gz`` in a folder, or fetch it.

    Args:
        folder: the corpus's folder below the data folder.
        name: the file, without ``.gz``.
        source: the public source, in words, for the message.
        remote: where it is published; None where the source does not offer the file in this form.
        download: False never touches the network.

    Raises:
        DataError: in one line, which file is wanted, where, and why it did not come by itself.
    """
    found = find(folder, name)
    if found is not None:
        return found
    try:
        if remote is not None and download:
            fetch(remote, folder, name)
            return cast(Path, find(folder, name))
        why = "it is not offered for download in this form" if remote is None else "download=false"
    except (OSError, HTTPException, DataError, tarfile.TarError, zipfile.BadZipFile) as error:
        why = f"downloading failed ({' '.join(str(error).split()) or type(error).__name__})"
    raise DataError(
        f"missing file {folder.absolute() / name}[.gz]: {why}; put it there (source: {source}) "
        f"or set paths.data (variable ATTNLAB_DATA) to the folder that holds {folder.name}/"
    )


def fetch(remote: Remote, folder: Path, name: str) -> None:
    """Download beside the place of the file, verify, and only then move it in.

    Raises:
        DataError: the checksum differs, or the archive lacks a member.
        OSError: the server or the folder cannot be reached.
    """
    request = Request(remote.url, headers={"User-Agent": _AGENT})
    with urlopen(request, timeout=TIMEOUT) as response:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix=".download-") as temporary:
            loaded = Path(temporary) / "loaded"
            found = _save(response, remote, loaded)
            if remote.digest is not None and found != remote.digest:
                raise DataError(f"{remote.url}: checksum {found}, expected {remote.digest}")
            for member in remote.members:
                _extract(loaded, member, folder)
            if not remote.members:
                loaded.replace(folder / (f"{name}.gz" if remote.url.endswith(".gz") else name))


def _save(response: HTTPResponse, remote: Remote, path: Path) -> str:
    """Write what the server sends to ``path``; return its digest."""
    from rich.markup import escape
    from rich.progress import wrap_file

    algorithm = (remote.digest or "sha256:").partition(":")[0]
    digest = hashlib.new(algorithm, usedforsecurity=False)
    terminal = console(stderr=True)
    length = int(response.headers.get("Content-Length") or 0)
    bar = wrap_file(
        response,  # type: ignore[arg-type]  # it has all of BinaryIO that the bar asks for
        length,
        description=escape(remote.url.rpartition("/")[2]),
        console=terminal,
        disable=not terminal.is_terminal,
    )
    with path.open("wb") as file, bar as body:
        while chunk := body.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
        if length and file.tell() != length:
            raise DataError(f"{remote.url}: the connection ended after {file.tell()} of {length} bytes")
    return f"{algorithm}:{digest.hexdigest()}"


def _extract(archive: Path, member: Member, folder: Path) -> None:
    """Write one member, converted and compressed, to a temporary file beside the archive, then move it in."""
    written = archive.parent / member.name
    with _opened(archive, member.path) as content, gzip.open(written, "wb") as file:
        if member.convert is None:
            shutil.copyfileobj(content, file)
        else:
            file.write(member.convert(content.read()))
    written.replace(folder / f"{member.name}.gz")


@contextmanager
def _opened(archive: Path, path: str) -> Iterator[IO[bytes]]:
    """A member of a zip or (compressed) tar archive."""
    with zipfile.ZipFile(archive) if zipfile.is_zipfile(archive) else tarfile.open(archive) as content:
        try:
            member = content.extractfile(path) if isinstance(content, tarfile.TarFile) else content.open(path)
        except KeyError:
            member = None
        if member is None:
            raise DataError(f"the archive has no file {path}")
        with member:
            yield member
