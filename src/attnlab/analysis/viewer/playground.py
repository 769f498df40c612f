"""The page of the playground: the stage of the viewer, with questions in the place of the list of items."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from attnlab.analysis.pages import environment, policy, template_file
from attnlab.analysis.viewer.page import COLORS, PACKAGE, STAGE, TITLES, joined
from attnlab.strict_json import dumps

SCRIPTS = (*STAGE, "live", "links", "ask", "bars", "words", "tree", "play")
TABS = (
    ("map", "Map"), ("grid", "All heads"), ("flow", "Flow"), ("tree", "Candidates"), ("next", "Next words"),
)  # fmt: skip


def render(groups: Sequence[Mapping[str, Any]], beam: int, characters: int) -> tuple[str, str]:
    """The page, and the content security policy that it is sent with: nothing but itself, and questions to its server.

    Args:
        groups: of runs, each with ``title``, ``task``, ``fields``, ``languages``, ``words``, ``sides``, ``example`` and
            ``runs`` (``name``, ``folder``, ``scale``).
        beam: as it opens.
        characters: that a text has at most.
    """
    script, style = joined(SCRIPTS), template_file(PACKAGE, "view.css") + template_file(PACKAGE, "play.css")
    told = {"groups": groups, "titles": TITLES, "colors": COLORS}
    page = (
        environment(PACKAGE)
        .get_template("play.html.j2")
        .render(
            groups=groups, tabs=TABS, beam=beam, characters=characters, style=Markup(style), script=Markup(script),
            told=Markup(harmless(dumps(told))),
        )
    )  # fmt: skip
    return page, (
        f"default-src 'none'; script-src {policy(script)}; style-src {policy(style)}; img-src data: blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def harmless(text: str) -> str:
    """JSON that ends no element of a page."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
