"""How often the words of a test occur in training: what a breakdown of scores by word frequency needs."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from attnlab.atomic import replacing
from attnlab.data.module import TranslationData
from attnlab.metrics.translation import CorpusScore
from attnlab.private import sacrebleu
from attnlab.tasks.translation.records import Translated


def save_word_counts(
    path: Path, score: CorpusScore, data: TranslationData, records: Mapping[str, Sequence[Translated]]
) -> None:
    """Write ``{"counts": {word: occurrences}, "tokenizer": …, "lowercase": …, "sentences": …}``.

    Words are cut as sacreBLEU cuts them for BLEU, whatever the model's own tokenizer does, so that models with
    different ones can be compared. Only the words of the references and hypotheses are listed: one that is not
    there never occurs in the training targets.
    """
    scorer: Any = score.scorers["bleu"]

    def cut(text: str) -> list[str]:
        return sacrebleu.cut(scorer, text)

    lines = chain.from_iterable(records.values())
    wanted = {word for line in lines for text in (line.reference, line.hypothesis) for word in cut(text)}
    sentences = data.size("train")
    counts = {word: n for word, n in count_words(data.training_targets(), cut).items() if word in wanted}
    content = {
        "counts": counts,
        "tokenizer": str(scorer.tokenizer_signature),
        "lowercase": bool(scorer.lowercase),
        "sentences": sentences,
    }
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def count_words(lines: Iterable[str], cut: Callable[[str], list[str]]) -> Counter[str]:
    """Count the words of the lines. Each kind of string between blanks is cut once, however often it occurs."""
    strings: Counter[str] = Counter()
    for line in lines:
        strings.update(line.split())
    words: Counter[str] = Counter()
    for string, occurrences in strings.items():
        for word in cut(string):
            words[word] += occurrences
    return words
