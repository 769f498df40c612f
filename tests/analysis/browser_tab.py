"""A page in Chromium, and the browsers that it may be opened in."""

import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip


def installed() -> str | None:
    """The first that is on the path."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


class Tab:
    """A page that has been opened, and everything that it asked for or complained about."""

    def __init__(self, browser: Any, path: Path, width: int = 1280, dark: bool = False) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        scheme = "dark" if dark else "light"
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(path.as_uri())


def axe_run(page: Any, axe: ModuleType) -> dict[str, Any]:
    """What the rules of axe-core find on a page; ``axe`` is the package that has its script."""
    page.evaluate((Path(str(axe.__file__)).parent / "axe.min.js").read_text("utf-8"))
    found: dict[str, Any] = page.evaluate("axe.run()")
    return found
