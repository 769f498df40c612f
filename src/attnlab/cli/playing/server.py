"""The server: one page, and answers to questions."""

import sys
import threading
import traceback
from collections.abc import Sequence
from typing import Any

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from attnlab.cli.playing.groups import Group
from attnlab.cli.playing.guard import TOO_LONG, Guard, body_of
from attnlab.cli.playing.questions import Question, parse
from attnlab.errors import ConfigError, DataError
from attnlab.strict_json import dumps

WAITING = 8  #: questions that are answered or wait at a time; who asks then is told so


class Playground:
    """Answers questions, those to one run one after another.

    Args:
        groups: the runs.
        page: the HTML, and the policy that it is sent with.
    """

    def __init__(self, groups: Sequence[Group], page: str, policy: str) -> None:
        self.groups, self.page, self.policy = groups, page, policy
        self.places = threading.BoundedSemaphore(WAITING)

    def app(self, host: str) -> Starlette:
        """The ASGI application."""
        routes = [Route("/", self.shown), Route("/answer", self.answered, methods=["POST"])]
        middleware = [Middleware(Guard, host=host)]
        handlers: Any = {HTTPException: missing, Exception: broken}
        return Starlette(routes=routes, middleware=middleware, exception_handlers=handlers)

    async def shown(self, request: Request) -> Response:
        """The page."""
        return HTMLResponse(self.page, headers={"Content-Security-Policy": self.policy})

    async def answered(self, request: Request) -> Response:
        """What the runs of a group say to a question."""
        body = await body_of(request)
        if body is None:
            return refused(413, TOO_LONG)
        try:
            group, question = self.understood(body)
        except DataError as error:
            return refused(400, str(error))
        if not self.places.acquire(blocking=False):
            return refused(503, f"{WAITING} questions are being answered already; ask again in a moment")
        try:
            if await request.is_disconnected():
                return refused(499, "nobody waits for an answer any more")
            told = await to_thread.run_sync(answers, group, question, abandon_on_cancel=True)
        finally:
            self.places.release()
        return Response(told, media_type="application/json")

    def understood(self, body: bytes) -> tuple[Group, Question]:
        """Whom a question is put to, and what it is.

        Raises:
            DataError: what is wrong with it.
        """
        question = parse(body)
        if question.group >= len(self.groups):
            raise DataError(f"group: came {question.group}, and there are {len(self.groups)}")
        group = self.groups[question.group]
        return group, group.spelled(question)


def answers(group: Group, question: Question) -> str:
    """What each run says, or why it says nothing; JSON."""
    runs = [said(player, question, number) for number, player in enumerate(group.players)]
    return dumps({"runs": runs, "beginning": question.beginning.text})


def said(player: Any, question: Question, number: int) -> dict[str, Any]:
    """What one run says; ``error`` where something is wrong with the question."""
    try:
        found: dict[str, Any] = player.answer(question, number)
        return found
    except (ConfigError, DataError) as error:
        return {"error": str(error)}
    except Exception as error:  # one run's failure is not that of the others, nor the server's
        traceback.print_exc(file=sys.stderr)
        return {"error": f"{player.name} failed ({type(error).__name__}); the terminal of attnlab play says more"}


def refused(status: int, why: str) -> Response:
    return JSONResponse({"error": why}, status)


async def missing(request: Request, error: Exception) -> Response:
    """What is not here."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    return refused(status, "there is nothing here but / and /answer")


async def broken(request: Request, error: Exception) -> Response:
    """A mistake of ours."""
    traceback.print_exception(error, file=sys.stderr)
    return refused(500, f"the playground failed ({type(error).__name__}); its terminal says more")
