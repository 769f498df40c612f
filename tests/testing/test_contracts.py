"""The contracts that parts of one's own are tested with see what is wrong: each fault is caught by its check."""

from functools import partial
from itertools import count

import pytest
import torch
from torch import nn

from attnlab.attention.base import Attention, Normalizer
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.scores.luong_general import LuongGeneral
from attnlab.attention.windows.all import All
from attnlab.data.corpora.grammar.corpus import Grammar
from attnlab.data.corpus import Pair
from attnlab.encoders.embedding import Embedding
from attnlab.layers.dims import SourceDims
from attnlab.testing import attention, configured, dataset, encoder


class Padded(LuongGeneral):
    def forward(self, query, memory, history):
        return super().forward(query, memory, history) / memory.keys.size(1)


class Reads(LuongGeneral):
    def keys(self, states):
        return super().keys(states * states.sum(1, keepdim=True))


class Placed(LuongGeneral):
    def forward(self, query, memory, history):
        return super().forward(query, memory, history) * (1 + torch.arange(len(query)).view(-1, 1, 1))


class Idle(LuongGeneral):
    def __init__(self, query_dim, key_dim):
        super().__init__(query_dim, key_dim)
        self.b = nn.Parameter(torch.zeros(1))

    def forward(self, query, memory, history):
        return super().forward(query, memory, history) + self.b  # softmax does not see it


class Ordered(LuongGeneral):
    def forward(self, query, memory, history):
        return super().forward(query, memory, history) * (1 + torch.arange(query.size(1)).view(1, -1, 1))


class Infinite(LuongGeneral):
    def forward(self, query, memory, history):
        return super().forward(query, memory, history) / 0.0


class Half(Softmax):
    def forward(self, scores, mask):
        return super().forward(scores, mask) / 2


class Unmasked(Normalizer):
    def forward(self, scores, mask):
        return scores.softmax(-1)


@pytest.mark.parametrize(("score", "normalizer", "caught"), [
    (Padded, Softmax, "padding_changes_nothing"),
    (Reads, Softmax, "values_on_padding_are_never_read"),
    (Placed, Softmax, "batch_order_does_not_matter"),
    (Idle, Softmax, "gradients_reach_the_sentence_and_every_parameter"),
    (Ordered, Softmax, "step_by_step_equals_parallel"),
    (Infinite, Softmax, "any_lengths"),
    (LuongGeneral, Half, "rows_are_distributions_over_real_tokens"),
    (LuongGeneral, Unmasked, "rows_are_distributions_over_real_tokens"),
])  # fmt: skip
def test_a_fault_of_a_mechanism(score, normalizer, caught):
    assert caught in failing(attention.CHECKS, partial(Attention, score, All, normalizer))


def test_another_equation_is_no_transcription():
    def attend(weights, query, states, summary):
        alpha = torch.stack([query @ (weights["score.W_a.weight"] @ h) for h in states]).softmax(-1)
        return alpha, alpha @ states

    attention.agrees(partial(Attention, LuongGeneral, All, Softmax), attend=attend)
    with pytest.raises(AssertionError):
        attention.agrees(partial(Attention, Padded, All, Softmax), attend=attend)


class Mean(Embedding):
    def forward(self, embedded, mask):
        encoded = super().forward(embedded, mask)
        return encoded._replace(summary=embedded.mean(1), final=(embedded.mean(1, keepdim=True),))


class Shifted(Embedding):
    def forward(self, embedded, mask):
        encoded = super().forward(embedded, mask)
        return encoded._replace(states=encoded.states + 1)


class Misnamed(Embedding):
    def __init__(self, embedding_dim):
        super().__init__(embedding_dim)
        self.dims = SourceDims(states=embedding_dim + 1, summary=embedding_dim, final=embedding_dim, layers=1, parts=1)


class Numbered(Embedding):
    def forward(self, embedded, mask):
        return super().forward(embedded * (1 + torch.arange(len(embedded)).view(-1, 1, 1)), mask)


class Cut(Embedding):
    def __init__(self, embedding_dim):
        super().__init__(embedding_dim)
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, embedded, mask):
        return super().forward(embedded * self.scale.detach(), mask)


@pytest.mark.parametrize(("kind", "caught"), [
    (Mean, "what_stands_on_padding_does_not_matter"), (Mean, "padding_changes_nothing"),
    (Shifted, "annotations_of_padding_are_zero"), (Misnamed, "sizes_are_as_they_are_named"),
    (Numbered, "batch_order_does_not_matter"), (Cut, "gradients_reach_the_words_and_every_parameter"),
])  # fmt: skip
def test_a_fault_of_an_encoder(kind, caught):
    assert caught in failing(encoder.CHECKS, kind)


SMALL = partial(Grammar, train_size=30, val_size=4, test_size=5)
READINGS = count()


class Leaking(Grammar):
    def read(self, split):
        yield from super().read(split)
        if split == "test":
            self.report.keep(split)
            yield next(iter(super().read("train")))


class Restless(Grammar):
    def read(self, split):
        pairs = list(super().read(split))
        turn = next(READINGS) % len(pairs)
        return iter(pairs[turn:] + pairs[:turn])


class Untidy(Grammar):
    def read(self, split):
        return (Pair(f" {pair.source}", pair.target) for pair in super().read(split))


class Uncounted(Grammar):
    def read(self, split):
        return iter(list(super().read(split))[1:])


class Lenient(Grammar):
    def read(self, split):
        return super().read(split if split in self.splits else "test")


@pytest.mark.parametrize(("kind", "caught"), [
    (Leaking, "no_two_splits_share_an_item"), (Restless, "each_reading_gives_the_same"),
    (Untidy, "texts_are_clean"), (Uncounted, "splits_are_train_val_and_tests"),
    (Lenient, "another_split_is_refused"),
])  # fmt: skip
def test_a_fault_of_a_data_set(kind, caught):
    assert caught in failing(dataset.CHECKS, partial(kind, **SMALL.keywords))


def test_what_is_right_passes():
    assert failing(attention.CHECKS, partial(Attention, LuongGeneral, All, Softmax)) == []
    assert failing(encoder.CHECKS, Embedding) == []
    assert failing(dataset.CHECKS, SMALL) == []


def failing(checks, build):
    """The names of the checks that fail, for what they say."""
    found = []
    for check in checks:
        try:
            check(build)
        except AssertionError as error:
            found.append(check.__name__ if str(error) else f"{check.__name__}, without a word")
    return found


def test_checks_draw_the_same_numbers_and_leave_none_changed():
    drawn = []
    build = partial(Attention, LuongGeneral, All, Softmax)
    before = torch.get_rng_state()
    for _ in range(2):
        attention.CHECKS[0](lambda **sizes: drawn.append(torch.rand(1).item()) or build(**sizes))
    assert drawn[: len(drawn) // 2] == drawn[len(drawn) // 2 :]
    assert torch.equal(torch.get_rng_state(), before)


def test_a_part_is_built_as_the_command_line_says(monkeypatch, tmp_path):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    made = configured("attention=luong_concat", "attention.score.attention_dim=3")(query_dim=5, key_dim=4)
    assert made.score.v_a.in_features == 3
    assert len(list(configured("dataset=grammar", "dataset.train_size=7").read("train"))) == 7
