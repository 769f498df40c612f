"""Training pairs cut anew in every epoch: from the seed alone, and what is scored never."""

import pytest
from listed_corpus import small

from attnlab.data.module import TranslationData
from attnlab.data.sentences import Drawn
from attnlab.data.tokenizers.bpe import Bpe
from attnlab.data.tokenizers.unigram import Unigram
from attnlab.data.tokenizers.word import Word
from attnlab.types import ConfigError, DataError


def bpe(language):
    return Bpe(language, vocab_size=60, min_frequency=1)


def opened(tmp_path, **settings):
    data = TranslationData(small(), bpe, str(tmp_path / "cache"), **settings)
    data.prepare_data()
    data.setup()
    return data


def pieces(data, epoch):
    """What the training loader gives of each pair in an epoch."""
    loader, found = data.train_dataloader(), {}
    loader.batch_sampler.set_epoch(epoch)
    for batch in loader:
        for row, number in enumerate(batch.index.tolist()):
            source, target = batch.source[row][batch.source_mask[row]], batch.target[row, 1:][batch.target_mask[row]]
            found[number] = source.tolist(), target.tolist()[:-1]
    return found


def test_pieces_are_drawn_anew_and_say_the_same(tmp_path):
    data = opened(tmp_path, bpe_dropout=0.3, batch_size=4)
    first, second = pieces(data, 0), pieces(data, 1)
    assert sorted(first) == sorted(second) == list(range(50))
    assert sum(first[row] != second[row] for row in first) > 25
    for found in (first, second):
        for row, (source, target) in found.items():
            pair = data.text("train", row)
            assert data.source_tokenizer.decode(source) == pair.source
            assert data.target_tokenizer.decode(target) == pair.target


def test_pieces_depend_on_seed_epoch_and_pair_alone(tmp_path):
    data = opened(tmp_path, bpe_dropout=0.3, batch_size=4)
    again = opened(tmp_path, bpe_dropout=0.3, batch_size=7, pool=2, num_workers=0)
    assert pieces(data, 3) == pieces(again, 3)
    other = opened(tmp_path, bpe_dropout=0.3, batch_size=4, seed=2)
    assert pieces(data, 3) != pieces(other, 3)


def test_what_is_scored_is_cut_as_ever(tmp_path):
    plain = opened(tmp_path, overfit_check=9)
    data = opened(tmp_path, overfit_check=9, bpe_dropout=0.9)
    for ours, theirs in zip(
        [data.val_dataloader(), *data.test_dataloader()],
        [plain.val_dataloader(), *plain.test_dataloader()],
        strict=True,
    ):
        for one, other in zip(ours, theirs, strict=True):
            assert all(a.equal(b) for a, b in zip(one, other, strict=True))
    assert all(a.equal(b) for a, b in zip(data.batch("train", [3, 4]), plain.batch("train", [3, 4]), strict=True))
    assert type(plain.training_dataset()).__name__ == "Sentences"


def test_a_side_that_would_be_too_long_stays_whole(tmp_path):
    plain = pieces(opened(tmp_path), 0)
    for settings, longest in (({"max_length": 30}, 30), ({}, max(max(map(len, sides)) for sides in plain.values()))):
        data = opened(tmp_path, bpe_dropout=1.0, **settings)
        found = pieces(data, 0)
        letters = {row: data.source_tokenizer.words(data.text("train", row).source) for row in found}
        assert all(max(map(len, sides)) <= longest for sides in found.values())
        for row, (source, _) in found.items():
            count = sum(map(len, letters[row]))
            assert len(source) == (count if count <= data.longest_cut[0] else len(plain[row][0]))


def test_room_for_what_may_be_drawn(tmp_path):
    data = opened(tmp_path, bpe_dropout=0.1, max_length=90, pad_to_multiple=1)
    data.require_room(90, 91)
    with pytest.raises(DataError, match=r"may have data.max_length=90, as data.bpe_dropout cuts them: .*=91 or more"):
        data.require_room(90, 90)


def test_other_tokenizers_are_refused(tmp_path):
    for tokenizer in (Unigram, Word):
        name = tokenizer.__name__.lower()
        with pytest.raises(ConfigError, match=f"tokenizer={name} makes none: choose tokenizer=bpe"):
            TranslationData(small(), tokenizer, str(tmp_path / "cache"), bpe_dropout=0.1)


def test_rows_know_their_epoch(tmp_path):
    loader = opened(tmp_path, batch_size=4).train_dataloader()
    loader.batch_sampler.set_epoch(7)
    assert all(isinstance(rows, Drawn) and rows.epoch == 7 for rows in loader.batch_sampler)
