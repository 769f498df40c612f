"""Searching for the translations of a batch, by one model or several, reranked where the search does so."""

from collections.abc import Sequence

from attnlab.data.module import TranslationData
from attnlab.metrics.translation import TEXT_SCORES
from attnlab.models.seq2seq import Seq2Seq
from attnlab.search.base import Search
from attnlab.search.ensemble import Ensemble
from attnlab.tasks.spelling import reranked
from attnlab.types import Batch, Hypothesis


def hypotheses(
    search: Search, models: Sequence[Seq2Seq], data: TranslationData, split: str, batch: Batch
) -> list[list[Hypothesis]]:
    """What is found for each sentence, best first.

    Args:
        search: that is asked.
        models: that translate together.
        data: that the batch is of.
        split: likewise.
        batch: the sentences.
    """
    steps = Ensemble([model.to(batch.source.device) for model in models]) if len(models) > 1 else models[0]
    found = search(steps, batch.source, batch.source_mask)
    lines = (data.text(split, index).source for index in batch.index.tolist())
    return reranked(search, lines, found, data.source_tokenizer, data.target_tokenizer)


def of_translations(values: dict[str, float]) -> dict[str, float]:
    """The measures of what was said; the others are of forced decoding by one model."""
    return {key: value for key, value in values.items() if key.rpartition("/")[2] in TEXT_SCORES}
