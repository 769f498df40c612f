"""Who may ask the server, and what it lets a browser do with its answers.

A page of somebody else, open in the same browser, could send requests here: under a name of its own that it lets point
to this machine (DNS rebinding), or straight, from a form or a script. The name that a request was sent to stands in
``Host`` and the page that sent it in ``Origin``; both are checked.
"""

import ipaddress
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from attnlab.cli.playing.questions import MOST_BYTES
from attnlab.cli.playing.settings import LOOPBACK

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Answers what may not be asked with one line, and hands on the rest.

    Args:
        app: what answers.
        host: that the server was told to listen on.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self.app, self.host = app, host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, fault = self.fault(scope["method"], Headers(scope=scope))

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        answer: ASGIApp = self.app if not fault else JSONResponse({"error": fault}, status)
        await answer(scope, receive, hardened)

    def fault(self, method: str, headers: Mapping[str, str]) -> tuple[int, str]:
        """The status and the reason why a request is not answered; no reason where it is."""
        host = headers.get("host", "")
        if not self.known(host):
            return 421, f"Host: {host[:80]!r} is no name of this server; open the address that attnlab play has printed"
        if method not in ("GET", "HEAD", "POST"):
            return 405, f"{method[:20]}: expected GET or POST"
        if method != "POST":
            return 200, ""
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return 403, "Origin: this comes from another page than the playground's own"
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return 403, "Sec-Fetch-Site: this comes from another page than the playground's own"
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return 415, "Content-Type: expected application/json"
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > MOST_BYTES:
            return 413, TOO_LONG
        return 200, ""

    def known(self, host: str) -> bool:
        """Whether a request was sent to this server by a name that nobody else can give it.

        Of a server that others reach, an address says so, too: DNS rebinding needs a name.
        """
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in LOOPBACK or name == self.host:
            return True
        return self.host not in LOOPBACK and (name in own_names() or is_address(name))


TOO_LONG = f"the question has more than {MOST_BYTES} bytes"


async def body_of(request: Request) -> bytes | None:
    """What was sent; None where it is too long, as far as it may be."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def own_names() -> set[str]:
    name = socket.gethostname().lower()
    return {name, f"{name}.local"}
