"""What one run looks at, in many items at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from attnlab.analysis.maps import AttentionMap
from attnlab.analysis.runs import Run
from attnlab.analysis.viewer.collected import OWN, Asked, Gold, Look, Viewed, as_kept
from attnlab.cli.app import composed
from attnlab.cli.commands import predict, translate
from attnlab.cli.config.command_line import literal, trusting
from attnlab.cli.lines import Line, fitting
from attnlab.cli.predicting import Predictions
from attnlab.cli.translating import Translations
from attnlab.cli.viewing.settings import Settings
from attnlab.data.corpus import Alignment
from attnlab.data.pharaoh import BAR, parted
from attnlab.data.progress import bar
from attnlab.data.text import EMPTY
from attnlab.errors import ConfigError, DataError
from attnlab.runs.writing import Map
from attnlab.tasks.prediction import Seen
from attnlab.tasks.translation.looking import gold_links

CHUNK = 64  # texts at a time
UNSEEN = Viewed("", {})


class Looking:
    """A run that is asked what it looks at.

    Args:
        run: which.
        checkpoint: best, last or a file.
        settings: of the view.
    """

    def __init__(self, run: Run, checkpoint: str, settings: Settings) -> None:
        self.run, self.settings = run, settings
        self.translates = run.config.get("search") is not None
        trust = trusting(settings.trust)
        asked = [f"run={literal(str(run.folder))}", f"checkpoint={literal(checkpoint)}", *trust]
        self.answers: Translations | Predictions = (
            Translations.restore(composed(translate.COMMAND, asked))
            if self.translates
            else Predictions.restore(composed(predict.COMMAND, asked))
        )

    def tested(self, gold: Mapping[tuple[str, str], Alignment]) -> list[Viewed]:
        """In the items that it was tested on; as its folder has kept it, of those whose record is not all of them."""
        every = self.run.items(self.settings.split)
        numbers = self.settings.numbers(len(every))
        items = [every[number] for number in numbers]
        if self.answers.undrawable:
            return [UNSEEN] * len(items)
        if isinstance(self.answers, Translations):
            texts: list[str | None] = [item.input for item in items]
            forced = [item.reference for item in items] if self.settings.target == "reference" else None
        else:
            texts, forced = [self.answers.predictor.line_of(item.record) for item in items], None
        if None in texts:
            return self._kept(numbers)
        found = self._seen([text or "" for text in texts], forced)
        if not gold or forced is None:
            return found
        links = [gold.get((item.input, item.reference)) for item in items]
        linked = zip(found, items, links, strict=True)
        return [
            one if alignment is None or not one.looks else one._replace(gold=self._gold(item, alignment))
            for one, item, alignment in linked
        ]

    def texts(self, texts: Sequence[str]) -> tuple[list[Asked], list[Viewed]]:
        """In texts of the user's; of a run that translates one may be SOURCE ||| TARGET, decoded by force.

        Raises:
            DataError: one that cannot be read, or is too long.
        """
        sources, forced = list(texts), None
        if isinstance(self.answers, Translations) and any(BAR in text or "\t" in text for text in texts):
            pairs = [parted(text) for text in texts]
            for number, (pair, fault) in enumerate(pairs):
                if pair is None:
                    raise DataError(f"texts[{number}]: {fault}")
            sources, forced = [pair.source for pair, _ in pairs if pair], [pair.target for pair, _ in pairs if pair]
        clean = []
        for number, text in enumerate(sources):
            found, fault = (text, "") if self.answers.whole else self.answers.clean(text)
            line = fitting(Line(number, found), self.answers)
            if line.fault or fault:
                told = "nothing shows in it" if fault == EMPTY else fault or line.fault
                raise DataError(f"texts[{number}]: {told}")
            clean.append(line.text)
        viewed = [UNSEEN] * len(clean) if self.answers.undrawable else self._seen(clean, forced)
        named = [text.partition("\n")[0] if self.answers.whole else text.replace("\t", " → ") for text in clean]
        return [Asked(*both) for both in zip(named, forced or [""] * len(named), strict=True)], viewed

    def _seen(self, texts: Sequence[str], forced: Sequence[str] | None) -> list[Viewed]:
        """In cleaned texts, a chunk at a time."""
        found: list[Viewed] = []
        with bar("texts", len(texts)) as shown:
            for start in range(0, len(texts), CHUNK):
                part = slice(start, start + CHUNK)
                own = start < self.settings.own
                for said, seen in self._chunk(texts[part], None if forced is None else forced[part], own):
                    kept = len(found) < self.settings.own
                    found.append(Viewed(said, {}) if seen is None else viewed(seen.map, said, seen if kept else None))
                shown.advance(len(texts[part]))
        return found

    def _chunk(self, texts: Sequence[str], forced: Sequence[str] | None, own: bool) -> list[tuple[str, Seen | None]]:
        """Together; where one of them is too long to be decoded, each alone, and that one not at all."""
        try:
            return self.answers.seen(texts, forced, own)
        except ConfigError:
            if len(texts) == 1:
                return [("", None)]
        alone = [[text] for text in forced] if forced is not None else [None] * len(texts)
        return [self._chunk([text], one, own)[0] for text, one in zip(texts, alone, strict=True)]

    def _kept(self, numbers: range) -> list[Viewed]:
        kept = {item.number: item for item in self.run.maps(self.settings.split)}
        return [viewed(kept[number], "") if number in kept else UNSEEN for number in numbers]

    def _gold(self, item: Any, alignment: Alignment) -> Gold:
        """Gold links of words as links of the run's pieces."""
        assert isinstance(self.answers, Translations)
        translator = self.answers.translator
        return Gold(*gold_links(translator.source, translator.target, item.input, item.reference, alignment))


def viewed(item: Map | AttentionMap, said: str | None, seen: Seen | None = None) -> Viewed:
    """What was looked at in an item, as the viewer shows it.

    Args:
        item: its attention.
        said: what was made of it; None where that is not known.
        seen: has what layers look at in their own sentence.
    """
    found = as_kept(item, said)
    own = {} if seen is None else seen.own
    looks = {OWN + side: Look(weights, seen.labels[side], seen.labels[side]) for side, weights in own.items() if seen}
    return found._replace(looks={**found.looks, **looks})
