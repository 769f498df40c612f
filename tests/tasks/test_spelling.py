"""Unknown words in plain text: Luong et al. 2015 (addressing the rare word problem), the most attended word copied."""

import torch

from attnlab.data.tokenizers.word import Word
from attnlab.tasks.spelling import fill, spell
from attnlab.types import UNK, Hypothesis


def tokenizers():
    source, target = Word("en"), Word("de")
    source.fit(["I saw him."])
    target.fit(["Ich sah ihn.", "in, sah"])
    return source, target


def test_the_most_attended_source_word_is_copied_and_joined_as_the_text_says():
    source, target = tokenizers()
    known = target.encode("Ich sah ihn.")
    tokens = [known[0], known[1], UNK, known[3]]
    weights = torch.eye(4)[[0, 1, 2, 3]]
    hypothesis = Hypothesis(tokens, -1.0, -1.0, weights)
    line = "I saw Zaphod."
    assert spell(line, hypothesis, source, target, replace=True) == (
        "Ich sah Zaphod.",
        ["Ich", "sah", "Zaphod", "."],
        ["I", "saw", "Zaphod", "."],
    )
    assert spell(line, hypothesis, source, target, replace=False).text == "Ich sah <unk>."


def test_two_gaps_are_filled_in_order():
    assert fill("<unk> mag <unk>.", ["Ada", "Bob"]) == "Ada mag Bob."
    assert fill("<unk> mag <unk>.", ["Ada"]) == "<unk> mag <unk>."
