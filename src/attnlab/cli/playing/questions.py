"""What a page may ask. Everything has a bound; a mistake is told in one line."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from attnlab.attention.edited import Changes
from attnlab.errors import DataError

MOST_BEAM = 20
MOST_LINKS = 500
MOST_BYTES = 1 << 18  #: of a question
MOST_CHARACTERS = 100_000  #: of a text, whatever the settings say
MOST_TOKENS = 2000  #: of a prefix

Count = Annotated[int, Field(ge=0, le=1_000_000)]
Text = Annotated[str, Field(max_length=MOST_CHARACTERS)]


class Strict(BaseModel):
    """Nothing is converted, nothing is left over."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class LinkChange(Strict):
    """A link: of a row to a column, both from 0; of every row where it is null."""

    row: Count | None
    column: Count
    kind: Literal["forbid", "force"]


class Links(Strict):
    """Links that are changed, of runs that have these words."""

    columns: Annotated[list[Text], Field(max_length=MOST_CHARACTERS)]
    changes: Annotated[list[LinkChange], Field(max_length=MOST_LINKS)]

    @property
    def marked(self) -> Changes:
        """What is forbidden and what is forced."""
        return Changes(
            *(
                frozenset((one.row, one.column) for one in self.changes if one.kind == kind)
                for kind in ("forbid", "force")
            )
        )


class Beginning(Strict):
    """What a translation begins with: a text; for the run whose words they are, exactly these tokens."""

    text: Text = ""
    run: Count | None = None
    ids: Annotated[list[Count], Field(max_length=MOST_TOKENS)] = []


class Question(Strict):
    """A question to all runs of a group."""

    group: Count
    texts: Annotated[list[Text], Field(min_length=1, max_length=4)]
    beam: Annotated[int, Field(ge=1, le=MOST_BEAM)] = 5
    beginning: Beginning = Beginning()
    links: Links | None = None


def parse(body: bytes) -> Question:
    """A question from what a page has sent.

    Raises:
        DataError: it is none; what is wrong with it.
    """
    try:
        return Question.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise DataError(f"{place or 'the question'}: {first['msg']}") from None
