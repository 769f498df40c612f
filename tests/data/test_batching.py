"""Batches against plain loops; the order, its repetition and its shares."""

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnlab.data.batching import EvaluationBatches, Loader, TrainingBatches, cut, process_share
from attnlab.data.prepared.ragged import Ragged, RaggedWriter
from attnlab.data.sentences import Sentences, Weightless
from attnlab.types import BOS, EOS, NO_SENTENCE, PAD, ConfigError

RANDOM = np.random.default_rng(0)
SOURCE = RANDOM.integers(1, 30, 203)
TARGET = np.clip(SOURCE + RANDOM.integers(-4, 5, 203), 1, None)


def training(sentences=8, tokens=None, pool=4, seed=3, share=(0, 1), epoch=0, rows=None, same=False):
    rows = np.arange(len(SOURCE)) if rows is None else rows
    bounds = {"sentences": sentences, "tokens": tokens, "pool": pool}
    batches = TrainingBatches(rows, SOURCE[rows], TARGET[rows], **bounds, seed=seed, share=share, same=same)
    batches.sampler.set_epoch(epoch)
    return batches


@pytest.fixture
def sentences(tmp_path):
    random = np.random.default_rng(1)
    for name, lengths in (("source", SOURCE), ("target", TARGET)):
        with RaggedWriter(tmp_path / name, np.uint16) as writer:
            writer.extend(random.integers(4, 500, length).astype(np.uint16) for length in lengths)
    return Sentences(Ragged(tmp_path / "source"), Ragged(tmp_path / "target"))


def test_padding_equals_a_plain_loop(sentences):
    rows = [5, 0, 77]
    batch = sentences.__getitems__(rows)
    S, T = max(SOURCE[rows]), max(TARGET[rows]) + 1
    source = torch.full((3, S), PAD)
    target = torch.full((3, T + 1), PAD)
    positions = []
    for b, row in enumerate(rows):
        x, y = sentences.source[row].tolist(), [BOS, *sentences.target[row].tolist(), EOS]
        for i, number in enumerate(x):
            source[b, i] = number
        for i, number in enumerate(y):
            target[b, i] = number
            if i > 0:
                positions.append(b * T + i - 1)
    assert torch.equal(batch.source, source)
    assert torch.equal(batch.target, target)
    assert torch.equal(batch.source_mask, source != PAD)
    assert torch.equal(batch.target_mask, target[:, 1:] != PAD)
    assert batch.tokens.tolist() == positions
    assert [*batch[-1]] == rows
    assert {part.dtype for part in batch} == {torch.int64, torch.bool}


@pytest.mark.parametrize("bounds", [{}, {"pool": 1}, {"sentences": None, "tokens": 100}, {"tokens": 100}])
@pytest.mark.parametrize("epoch", [0, 1, 7])
def test_every_sentence_once_in_an_epoch(bounds, epoch):
    batches = training(**bounds, epoch=epoch)
    given = [row for batch in batches for row in batch]
    assert sorted(given) == list(range(len(SOURCE)))
    assert given != sorted(given)


def test_only_the_rows_asked_for():
    rows = np.array([3, 9, 100, 150, 151])
    assert sorted(row for batch in training(2, rows=rows) for row in batch) == rows.tolist()


def test_bound_by_sentences():
    sizes = Counter(len(batch) for batch in training(8))
    assert sizes == {8: 25, 3: 1}


@pytest.mark.parametrize("sentences", [None, 4])
def test_bound_by_tokens(sentences):
    for batch in training(sentences, tokens=64):
        longest = max(max(SOURCE[row], TARGET[row] + 1) for row in batch)
        assert len(batch) * longest <= 64
        assert sentences is None or len(batch) <= sentences


def test_a_sentence_beyond_the_budget_is_alone():
    sizes = {row: len(batch) for batch in training(None, tokens=12) for row in batch}
    beyond = [row for row in sizes if max(SOURCE[row], TARGET[row] + 1) > 12]
    assert beyond
    assert {sizes[row] for row in beyond} == {1}


@settings(deadline=None)
@given(st.lists(st.integers(1, 20), min_size=1).map(sorted), st.integers(1, 60), st.none() | st.integers(1, 5))
def test_cuts_are_greedy(lengths, tokens, sentences):
    ends = cut(np.array(lengths), tokens, sentences)
    assert ends[-1] == len(lengths)
    for start, end in zip([0, *ends], ends, strict=False):

        def fits(rows):
            small = sentences is None or len(rows) <= sentences
            return len(rows) == 1 or (small and len(rows) * max(rows) <= tokens)

        assert fits(lengths[start:end])
        assert end == len(lengths) or not fits(lengths[start : end + 1])


@pytest.mark.parametrize("bounds", [{}, {"sentences": None, "tokens": 90}])
def test_order_follows_from_seed_and_epoch_alone(bounds):
    def order(**settings):
        return list(training(**bounds, **settings))

    torch.manual_seed(1)
    first = order(epoch=2)
    torch.manual_seed(2)
    np.random.seed(5)  # noqa: NPY002
    assert order(epoch=2) == first
    assert order(epoch=3) != first
    assert order(epoch=2, seed=4) != first
    one = training(**bounds)
    assert [list(one) for _ in range(2)] == [order(), order()]
    assert order(epoch=3, same=True) == order()


@pytest.mark.parametrize("bounds", [{}, {"sentences": None, "tokens": 90}, {"sentences": 7, "tokens": 90}])
@pytest.mark.parametrize("processes", [1, 3])
def test_as_many_batches_in_every_epoch(bounds, processes):
    batches = training(**bounds, share=(0, processes))
    for epoch in range(6):
        batches.set_epoch(epoch)
        assert len(list(batches)) == len(batches)


def test_batches_hold_sentences_of_like_length():
    def padding(pool):
        cells = sum(len(batch) * TARGET[batch].max() for batch in training(8, pool=pool))
        return 1 - TARGET.sum() / cells

    assert padding(pool=25) < 0.5 * padding(pool=1)


@pytest.mark.parametrize("bounds", [{"pool": 25}, {"sentences": None, "tokens": 90}])
def test_processes_share_an_epoch(bounds):
    shares = [list(training(**bounds, share=(rank, 4), epoch=1)) for rank in range(4)]
    assert len({len(share) for share in shares}) == 1
    given, idle = told_apart(shares)
    alone = list(training(**bounds, epoch=1))
    assert sorted(map(sorted, given)) == sorted(map(sorted, alone)), "not the batches of one process, each once"
    assert len(idle) == -len(alone) % 4
    spread = [np.ptp([TARGET[batch].mean() for batch in step]) for step in zip(*shares, strict=True)]
    assert np.median(spread) < 0.3 * np.ptp(TARGET)  # neighbours in length work side by side


def told_apart(shares):
    """The batches of all processes that count, and those without weight."""
    batches = [batch for share in shares for batch in share]
    return [b for b in batches if not isinstance(b, Weightless)], [b for b in batches if isinstance(b, Weightless)]


def test_fewer_batches_than_processes():
    shares = [list(training(500, share=(rank, 3))) for rank in range(3)]
    given, idle = told_apart(shares)
    assert [len(share) for share in shares] == [1, 1, 1]
    assert [sorted(batch) for batch in given] == [list(range(len(SOURCE)))]
    shortest = np.maximum(SOURCE, TARGET + 1).min()
    assert [max(SOURCE[row], TARGET[row] + 1) for batch in idle for row in batch] == [shortest] * 2


def test_a_batch_without_weight_has_nothing_to_predict_and_no_sentence(sentences):
    batch = sentences.__getitems__(Weightless([7]))
    assert torch.equal(batch.source, sentences.__getitems__([7]).source)
    assert batch.index.tolist() == [NO_SENTENCE]
    assert not batch.target_mask.any()
    assert batch.tokens.shape == (0,)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # fork beside pytest-xdist's thread
@pytest.mark.filterwarnings("ignore:This DataLoader will create 1 worker:UserWarning")
def test_weight_is_kept_on_the_way_to_a_worker(sentences):
    batches = EvaluationBatches(SOURCE[:1], TARGET[:1], 16, (1, 2))
    assert [batch.index.tolist() for batch in Loader(sentences, batches, workers=1)] == [[NO_SENTENCE]]


@pytest.mark.parametrize("size", [203, 33, 32, 3, 2, 1])
@pytest.mark.parametrize("processes", [1, 2, 5])
def test_evaluation_sees_each_sentence_exactly_once(processes, size):
    source, target = SOURCE[:size], TARGET[:size]
    shares = [EvaluationBatches(source, target, 16, (rank, processes)) for rank in range(processes)]
    given, idle = told_apart(shares)
    assert Counter(row for batch in given for row in batch) == dict.fromkeys(range(size), 1)
    sizes = [sum(len(batch) for batch in told_apart([share])[0]) for share in shares]
    assert max(sizes) - min(sizes) <= 1
    # What all do together (to validate half of the batches, say) comes out the same for all.
    assert {len(list(share)) for share in shares} == {len(share) for share in shares} == {-(-max(sizes) // 16)}
    assert len(given) + len(idle) == processes * len(shares[0])
    for share in shares:
        lengths = [SOURCE[row] for batch in told_apart([share])[0] for row in batch]
        assert lengths == sorted(lengths, reverse=True)


def same(batch, other):
    return all(torch.equal(a, b) for a, b in zip(batch, other, strict=True))


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # fork beside pytest-xdist's thread
@pytest.mark.filterwarnings("ignore:This DataLoader will create 2 worker:UserWarning")  # on one core
@pytest.mark.parametrize("workers", [0, 2])
def test_going_on_in_mid_epoch(sentences, workers):
    def epoch(loader, number):
        loader.batch_sampler.sampler.set_epoch(number)
        return iter(loader)

    whole = Loader(sentences, training())
    expected = [list(epoch(whole, number)) for number in range(3)]
    stopped = Loader(sentences, training(), workers)
    list(epoch(stopped, 0))
    begun = epoch(stopped, 1)
    for _ in range(10):
        next(begun)
    state = stopped.state_dict()
    assert state == {"epoch": 1, "batches": 10}
    resumed = Loader(sentences, training(), workers)
    resumed.load_state_dict(state)
    rest = list(epoch(resumed, 1))
    assert len(rest) == len(expected[1]) - 10
    assert all(map(same, rest, expected[1][10:]))
    assert resumed.state_dict() == {"epoch": 1, "batches": len(expected[1])}
    assert len(list(epoch(resumed, 1))) == len(expected[1])  # once gone on, the epoch is whole again
    assert all(map(same, list(epoch(resumed, 2)), expected[2]))


def test_a_state_of_a_finished_epoch_skips_nothing_of_the_next(sentences):
    loader = Loader(sentences, training())
    list(loader)
    resumed = Loader(sentences, training())
    resumed.load_state_dict(loader.state_dict())
    resumed.batch_sampler.set_epoch(1)
    assert len(list(resumed)) == len(resumed)


def test_loading_leaves_the_global_random_state_alone(sentences):
    before = torch.get_rng_state()
    list(Loader(sentences, training()))
    list(Loader(sentences, EvaluationBatches(SOURCE, TARGET, 16)))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"sentences": None}, "batch_size and batch_tokens are both null"),
        ({"sentences": 0}, "batch_size=0"),
        ({"tokens": -1}, "batch_tokens=-1"),
        ({"pool": 0}, "pool=0"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_bounds_that_give_no_batch(bounds, message):
    with pytest.raises(ConfigError, match=message):
        training(**bounds)


def test_process_share_asks_torch(tmp_path):
    assert process_share() == (0, 1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'meeting'}", rank=0, world_size=1)
    try:
        assert process_share() == (torch.distributed.get_rank(), torch.distributed.get_world_size())
    finally:
        torch.distributed.destroy_process_group()


@pytest.mark.parametrize(("tokens", "sentences"), [(1, None), (30, None), (64, 5), (1000, 7), (10, 1)])
def test_cuts_are_those_of_one_row_after_another(tokens, sentences):
    lengths = np.sort(np.random.default_rng(tokens).integers(1, 40, 500))
    ends, start = [], 0
    for i, length in enumerate(lengths.tolist()):
        size = i - start + 1
        if size > 1 and (size * length > tokens or (sentences is not None and size > sentences)):
            ends.append(i)
            start = i
    assert cut(lengths, tokens, sentences) == [*ends, len(lengths)]
