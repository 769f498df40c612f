"""Fetching files, against a server on this machine's loopback address."""

import gzip
import hashlib
import io
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from attnlab.data import download
from attnlab.data.download import Member, Remote, fetch, obtain
from attnlab.types import DataError

CONTENT = b"a man in a blue shirt .\n" * 5000


def tarball() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in (("set/a.sgm", b"<seg>one</seg>\n<seg>two</seg>\n"), ("set/b.txt", b"x\n")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("deu.txt", "Hi.\tHallo!\n")
        archive.writestr("_about.txt", "...")
    return buffer.getvalue()


FILES = {
    "/x.en.gz": gzip.compress(CONTENT),
    "/x.en": CONTENT,
    "/set.tgz": tarball(),
    "/deu-eng.zip": zipped(),
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.agents.append(self.headers["User-Agent"])
        if self.path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"only this")
        elif self.path in FILES:
            self.send_response(200)
            self.send_header("Content-Length", str(len(FILES[self.path])))
            self.end_headers()
            self.wfile.write(FILES[self.path])
        else:
            self.send_error(404)

    def log_message(self, format, *args):
        pass


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.agents = []
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def site(server, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return f"http://127.0.0.1:{server.server_port}"


def sha256(path: str) -> str:
    return "sha256:" + hashlib.sha256(FILES[path]).hexdigest()


@pytest.mark.parametrize(("path", "saved"), [("/x.en.gz", "x.en.gz"), ("/x.en", "x.en")])
def test_a_file_is_fetched_verified_and_kept_under_its_name(site, tmp_path, path, saved):
    folder = tmp_path / "corpus"
    got = obtain(folder, "x.en", "somewhere", Remote(site + path, sha256(path)), download=True)
    assert got == folder / saved
    assert got.read_bytes() == FILES[path]
    assert [entry.name for entry in folder.iterdir()] == [saved]


def test_a_file_that_is_there_is_not_fetched(tmp_path):
    (tmp_path / "x.en").write_bytes(b"mine\n")
    remote = Remote("http://127.0.0.1:1/x.en", None)
    assert obtain(tmp_path, "x.en", "somewhere", remote, download=True).read_bytes() == b"mine\n"


@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
def test_both_kinds_of_checksum(site, tmp_path, algorithm):
    digest = hashlib.new(algorithm, FILES["/x.en"], usedforsecurity=False).hexdigest()
    fetch(Remote(f"{site}/x.en", f"{algorithm}:{digest}"), tmp_path, "x.en")
    assert (tmp_path / "x.en").read_bytes() == CONTENT


def test_a_wrong_checksum_leaves_nothing_behind(site, tmp_path):
    wrong = "sha256:" + "0" * 64
    with pytest.raises(DataError, match=f"checksum {sha256('/x.en')}, expected {wrong}") as raised:
        obtain(tmp_path, "x.en", "somewhere", Remote(f"{site}/x.en", wrong), download=True)
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("path", "reason"), [("/gone", "404"), ("/cut", "ended after 9 of 1000 bytes|IncompleteRead")])
def test_what_the_server_refuses_or_cuts_off_is_said_in_one_line(site, tmp_path, path, reason):
    with pytest.raises(DataError, match=reason) as raised:
        obtain(tmp_path / "corpus", "x.en", "the project", Remote(site + path, None), download=True)
    message = str(raised.value)
    assert "\n" not in message
    assert str(tmp_path / "corpus" / "x.en") in message
    assert "ATTNLAB_DATA" in message
    assert "paths.data" in message
    assert "the project" in message
    assert not list(tmp_path.rglob("*.*"))


def test_an_unreachable_server(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(DataError, match=r"missing file .*x\.en\[\.gz\]: downloading failed \(.*refused"):
        obtain(tmp_path / "corpus", "x.en", "somewhere", Remote("http://127.0.0.1:1/x", None), download=True)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(site, tmp_path):
    (tmp_path / "corpus").write_text("a file where the folder should be")
    with pytest.raises(DataError, match=r"missing file .*corpus"):
        obtain(tmp_path / "corpus", "x.en", "somewhere", Remote(f"{site}/x.en", None), download=True)


@pytest.mark.parametrize(
    ("remote", "allowed", "reason"),
    [
        (None, True, "it is not offered for download in this form"),
        (Remote("http://127.0.0.1:1/x", None), False, "download=false"),
    ],
)
def test_no_download_where_none_is_offered_or_allowed(tmp_path, remote, allowed, reason, monkeypatch):
    monkeypatch.setattr(download, "fetch", None)  # calling it would be a TypeError
    with pytest.raises(DataError, match=reason):
        obtain(tmp_path, "x.en", "somewhere", remote, allowed)


def test_members_of_a_tar_archive(site, tmp_path):
    members = (Member("set/a.sgm", "a.en", bytes.upper), Member("set/b.txt", "a.de"))
    fetch(Remote(f"{site}/set.tgz", sha256("/set.tgz"), members), tmp_path, "a.en")
    assert gzip.decompress((tmp_path / "a.en.gz").read_bytes()) == b"<SEG>ONE</SEG>\n<SEG>TWO</SEG>\n"
    assert gzip.decompress((tmp_path / "a.de.gz").read_bytes()) == b"x\n"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_member_of_a_zip_archive(site, tmp_path):
    fetch(Remote(f"{site}/deu-eng.zip", None, (Member("deu.txt", "deu.txt"),)), tmp_path, "deu.txt")
    assert gzip.decompress((tmp_path / "deu.txt.gz").read_bytes()) == b"Hi.\tHallo!\n"


@pytest.mark.parametrize("archive", ["/set.tgz", "/deu-eng.zip"])
def test_an_archive_without_the_member(site, tmp_path, archive):
    remote = Remote(site + archive, None, (Member("fra.txt", "fra.txt"),))
    with pytest.raises(DataError, match=r"the archive has no file fra\.txt"):
        obtain(tmp_path, "fra.txt", "somewhere", remote, download=True)


def test_what_is_no_archive_at_all(site, tmp_path):
    remote = Remote(f"{site}/x.en", None, (Member("a", "a"),))
    with pytest.raises(DataError, match="downloading failed"):
        obtain(tmp_path, "a", "somewhere", remote, download=True)


def test_the_agent_is_not_the_one_that_manythings_refuses(server, site, tmp_path):
    fetch(Remote(f"{site}/x.en", None), tmp_path, "x.en")
    assert "Python-urllib" not in server.agents[-1]
