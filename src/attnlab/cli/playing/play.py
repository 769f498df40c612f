"""A playground, from the names of runs to a server that somebody ends."""

import socket
import sys
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from attnlab.analysis.viewer.playground import render
from attnlab.cli.lines import device_of
from attnlab.cli.logging import quiet, set_up_torch
from attnlab.cli.playing.groups import load
from attnlab.cli.playing.server import Playground
from attnlab.cli.playing.settings import Settings
from attnlab.cli.viewing.collecting import runs_of
from attnlab.errors import ConfigError

PATIENCE = 2  # seconds that open connections are waited for when it ends


def play(names: Sequence[str | Path], settings: Settings) -> None:
    """What ``attnlab play`` does. It returns when a signal or ``KeyboardInterrupt`` ends it, by that.

    Raises:
        ConfigError, DataError, MistakesError: with what to change; a port that is taken.
    """
    quiet()
    set_up_torch()
    device_of(settings.device)
    with closing(listening(settings.host, settings.port)) as place:  # a port that is taken is told at once
        app = playground(names, settings)
        print(f"play: {address(place, settings.host)}  (Ctrl-C ends it)", flush=True)
        if not settings.is_loopback:
            print(
                f"host={settings.host}: whoever reaches this machine by its network can ask these runs, without a "
                "password and unencrypted; host=127.0.0.1 is for you alone",
                file=sys.stderr,
                flush=True,
            )
        serve(app, place)


def playground(names: Sequence[str | Path], settings: Settings) -> Starlette:
    """The application, its runs loaded."""
    groups = load(runs_of(names), settings)
    page, policy = render([group.told() for group in groups], settings.beam, settings.characters)
    return Playground(groups, page, policy).app(settings.host)


def serve(app: Starlette, place: socket.socket) -> None:
    """Answer until the main thread is interrupted.

    The server has a thread of its own: signals stay with who called, as in every other command, and a notebook, in
    whose thread a loop runs already, can call it, too.
    """
    config = uvicorn.Config(
        app, log_level="error", access_log=False, server_header=False, ws="none", lifespan="off",
        timeout_graceful_shutdown=PATIENCE, h11_max_incomplete_event_size=1 << 15,
    )  # fmt: skip
    server, ended = uvicorn.Server(config), threading.Event()

    def run() -> None:
        try:
            server.run(sockets=[place])
        finally:
            ended.set()

    threading.Thread(target=run, name="playground", daemon=True).start()
    try:
        while not ended.wait(0.5):  # and not join, which takes a thread for ended where a signal breaks it off (3.11)
            pass
    finally:
        server.should_exit = True
        if not ended.wait(2 * PATIENCE):
            server.force_exit = True
            ended.wait(2 * PATIENCE)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        ConfigError: the port is taken, or the host is none of this machine's.
    """
    try:
        family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"host={host}: is no address of this machine ({error})") from error
    place = socket.socket(family, socket.SOCK_STREAM)
    try:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(where)
        place.listen(128)
    except OSError as error:
        place.close()
        reason = error.strerror or str(error)
        raise ConfigError(
            f"host={host}, port={port}: {reason}; take another port, or port=0 for any free one"
        ) from error
    return place


def address(place: socket.socket, host: str) -> str:
    """What is opened in a browser."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{place.getsockname()[1]}/"
