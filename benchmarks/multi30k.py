"""The batches that every competitor gets: Multi30k English to German, one joint BPE vocabulary of 8,000, 80 sentences
a batch, batches of similar length (pools of 50 sorted by length, as attnlab's loader makes them).
"""

import os
from functools import cache
from pathlib import Path

from attnlab.data.corpora.multi30k import Multi30k
from attnlab.data.module import TranslationData
from attnlab.data.tokenizers.bpe import Bpe
from attnlab.types import Batch

ROOT = Path(os.environ.get("ATTNLAB_ROOT", Path(__file__).parents[1]))
VOCABULARY = 8000
SENTENCES = 80


@cache
def data(sentences: int | None = SENTENCES, tokens: int | None = None) -> TranslationData:
    """Prepared once into ``.cache``; the files are read from ATTNLAB_DATA, ``data`` here by default."""
    module = TranslationData(
        corpus=Multi30k(os.environ.get("ATTNLAB_DATA", str(ROOT / "data"))),
        tokenizer=lambda language: Bpe(language, vocab_size=VOCABULARY),
        cache=str(ROOT / ".cache"),
        batch_size=sentences,
        batch_tokens=tokens,
        shared_vocabulary=True,
        splits=["train", "test"],
    )
    module.prepare_data()
    module.setup()
    return module


def training_batches(count: int, sentences: int = SENTENCES, tokens: int | None = None) -> list[Batch]:
    """The first batches of the loader's order, whole ones only; the epoch is repeated where it is too short.

    With ``tokens`` a batch is as many sentences as have so many tokens in all, not ``sentences`` of them.
    """
    loader = (data(sentences) if tokens is None else data(None, tokens)).train_dataloader()
    batches: list[Batch] = []
    while len(batches) < count:
        batches += [batch for batch in loader if tokens is not None or len(batch.index) == sentences]
    return batches[:count]


def test_batches(sentences: int, order: str) -> list[Batch]:
    """The 1,000 test sentences, ``sorted`` by length or in the order of the ``file``."""
    module = data()
    if order == "sorted":
        module.eval_batch_size = sentences
        return list(module.eval_dataloader("test"))
    rows = module.eval_dataloader("test").dataset
    return [rows.__getitems__(range(i, min(i + sentences, len(rows)))) for i in range(0, len(rows), sentences)]
