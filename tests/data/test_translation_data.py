"""The data module on its own, under a trainer, and stopped and resumed."""

import inspect
import logging
import multiprocessing
from functools import partial
from importlib import import_module
from types import SimpleNamespace

import pytest
import pytorch_lightning as pl
import torch
import yaml
from listed_corpus import numbered, small

from attnlab.data.corpus import Alignment, Pair
from attnlab.data.module import TranslationData
from attnlab.data.tokenizers.bpe import Bpe
from attnlab.data.tokenizers.load import load
from attnlab.data.tokenizers.word import Word
from attnlab.types import BOS, EOS, NO_SENTENCE, ConfigError, DataError

lightning_talk = pytest.mark.filterwarnings(
    "ignore:.*does not have many workers:UserWarning",
    "ignore:This process:DeprecationWarning",  # fork beside pytest-xdist's thread
    "ignore:.*treespec, LeafSpec:FutureWarning",
)


def opened(tmp_path, corpus=None, tokenizer=Word, **settings):
    data = TranslationData(corpus or small(), tokenizer, str(tmp_path / "cache"), **settings)
    data.prepare_data()
    data.setup()
    return data


def sentences_of(data, loader, split):
    """Check every row of every batch against the raw pair; return the sentence numbers in order."""
    numbers = []
    for batch in loader:
        for row, number in enumerate(batch.index.tolist()):
            pair = data.text(split, number)
            source, target = batch.source[row][batch.source_mask[row]], batch.target[row, 1:]
            target = target[batch.target_mask[row]].tolist()
            assert data.source_tokenizer.decode(source.tolist()) == pair.source
            assert data.target_tokenizer.decode(target) == pair.target
            assert (batch.target[row, 0].item(), target[-1]) == (BOS, EOS)
            numbers.append(number)
    return numbers


def test_loaders_give_the_corpus(tmp_path):
    corpus = small(val=numbered(5), test=numbered(7, 10), test_long=numbered(9, 20))
    data = opened(tmp_path, corpus, batch_size=4, eval_batch_size=3)
    assert data.test_splits == ("test", "test_long")
    assert sorted(sentences_of(data, data.train_dataloader(), "train")) == list(range(50))
    assert sorted(sentences_of(data, data.val_dataloader(), "val")) == list(range(5))
    for split, loader in zip(data.test_splits, data.test_dataloader(), strict=True):
        assert sorted(sentences_of(data, loader, split)) == list(range(len(corpus.pairs[split])))
        assert data.size(split) == len(corpus.pairs[split])
    assert max(len(batch.index) for batch in data.train_dataloader()) == 4


@pytest.mark.parametrize("bounds", [{"batch_size": 4}, {"batch_size": None, "batch_tokens": 64}])
def test_padding_to_a_multiple(tmp_path, bounds):
    """Few shapes of training batches, the same sentences, and a bound that counts the padding."""
    data = opened(tmp_path, small(), pad_to_multiple=4, **bounds)
    batches = list(data.train_dataloader())
    assert sorted(sentences_of(data, batches, "train")) == list(range(50))
    for batch in batches:
        assert batch.source.size(1) % 4 == batch.target_mask.size(1) % 4 == 0
        assert batch.target.size(1) == batch.target_mask.size(1) + 1
        assert (batch.target_mask.flatten()[batch.tokens]).all()
        assert len(batch.tokens) == batch.target_mask.sum()
        longest = max(batch.source.size(1), batch.target_mask.size(1))
        assert len(batch.source) * longest <= 64 or "batch_size" not in bounds or bounds["batch_size"]
    assert any(batch.source.size(1) % 4 for batch in data.val_dataloader()), "what is scored is as long as it is"


@pytest.mark.parametrize(("device", "multiple"), [("cuda", 8), ("cpu", 1)])
def test_a_gpu_gets_few_shapes(tmp_path, device, multiple):
    data = opened(tmp_path, small(), batch_size=4)
    strategy = SimpleNamespace(root_device=torch.device(device))
    data.trainer = SimpleNamespace(strategy=strategy)
    sizes = [batch.source.size(1) for batch in data.train_dataloader()]
    assert all(size % multiple == 0 for size in sizes)
    assert any(size % 8 for size in sizes) == (multiple == 1)


def test_gold_alignment_comes_with_the_text(tmp_path):
    pair = Pair("a b", "x", Alignment(("a", "b"), ("x",), ((0, 0),), ((0, 0), (1, 0))))
    data = opened(tmp_path, small(test=[("w1", "v1"), pair]))
    assert data.text("test", 1) == pair
    assert data.text("test", 0).alignment is None


def test_long_training_pairs_are_left_out_and_counted(tmp_path, caplog):
    corpus = small(train=[*numbered(50), ("\u3000", "leer")], test=[("w " * 20, "v " * 20)])
    with caplog.at_level(logging.WARNING):
        data = opened(tmp_path, corpus, max_length=5)
    kept = set(sentences_of(data, data.train_dataloader(), "train"))
    short = [max(len(source.split()), len(target.split())) <= 5 for source, target, _ in corpus.pairs["train"][:50]]
    assert kept == {i for i, within in enumerate(short) if within}
    assert data.size("train") == len(kept)
    assert data.counts["train"]["too_long"] == 50 - len(kept)
    assert data.counts["train"]["without_tokens"] == 1
    assert f"{51 - len(kept)} of 51 training pairs left out: 1 without a token" in caplog.text
    assert next(iter(data.test_dataloader()[0])).source.shape == (1, 20)


def test_max_length_shares_the_cache(tmp_path):
    opened(tmp_path)
    corpus = small()
    opened(tmp_path, corpus, max_length=3)
    assert corpus.reads == 0


def test_nothing_short_enough(tmp_path):
    corpus = small(train=[("a b c", "x y z")])
    with pytest.raises(DataError, match=r"none of 1 training pairs is left.*max_length=2 \(the shortest has 3"):
        opened(tmp_path, corpus, max_length=2)


def test_training_settings_reach_the_batches(tmp_path):
    def batches(**settings):
        data = opened(tmp_path, **settings)
        return [batch.index.tolist() for batch in data.train_dataloader()]

    assert batches(batch_size=8) == batches(batch_size=8)
    assert batches(batch_size=8) != batches(batch_size=8, seed=2)
    assert batches(batch_size=8, pool=1) != batches(batch_size=8, pool=7)
    data = opened(tmp_path, batch_size=None, batch_tokens=30)
    assert all(max(b.source.numel(), b.target_mask.numel()) <= 30 for b in data.train_dataloader())
    assert len(opened(tmp_path, batch_size=1, train_size=12).train_dataloader()) == 12


def test_shared_vocabulary(tmp_path):
    data = opened(tmp_path, shared_vocabulary=True)
    assert data.source_tokenizer.encode("Wort v1 w1") == data.target_tokenizer.encode("Wort v1 w1")


def test_tokenizers_of_a_run_on_another_corpus(tmp_path):
    data = opened(tmp_path)
    data.save(tmp_path / "run" / "tokenizer")
    for side, tokenizer in (("source", data.source_tokenizer), ("target", data.target_tokenizer)):
        assert load(tmp_path / "run" / "tokenizer" / f"{side}.json").state() == tokenizer.state()
    other = small(train=numbered(3, 900))
    scored = opened(tmp_path, other, tokenizers=str(tmp_path / "run" / "tokenizer"), splits=["test"])
    assert scored.test_splits == ("test",)
    assert other.reads == 1
    assert scored.source_tokenizer.state() == data.source_tokenizer.state()
    assert sum(len(batch.index) for batch in scored.test_dataloader()[0]) == 7


def test_not_set_up(tmp_path):
    data = TranslationData(small(), Word, str(tmp_path))
    with pytest.raises(DataError, match=r"prepare_data\(\) and setup\(\)"):
        data.train_dataloader()


@pytest.mark.parametrize(
    "settings",
    [
        {"batch_size": None},
        {"batch_size": 0},
        {"batch_tokens": 0},
        {"pool": 0},
        {"max_length": 0},
        {"train_size": 0},
        {"eval_batch_size": 0},
        {"num_workers": -1},
        {"seed": -1},
    ],
)
def test_settings_out_of_range(settings, tmp_path):
    with pytest.raises(ConfigError, match=next(iter(settings))):
        TranslationData(small(), Word, str(tmp_path), **settings)


class Journal(pl.LightningModule):
    """Learns something that depends on every batch and its order, and notes the sentence numbers."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(500))
        self.seen = []
        self.validated = []
        self.tested = []

    def training_step(self, batch, number):
        self.seen.append((self.current_epoch, batch.index.tolist()))
        return (self.weight[batch.source].cos() * batch.source_mask).sum()

    def validation_step(self, batch, number):
        self.validated += batch.index.tolist()

    def test_step(self, batch, number, dataloader_idx=0):
        self.tested.append((dataloader_idx, batch.index.tolist()))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 0.1)


class SaveEachStep(pl.Callback):
    def __init__(self, folder):
        self.folder = folder

    def on_train_batch_end(self, trainer, module, outputs, batch, number):
        trainer.save_checkpoint(self.folder / f"{trainer.global_step}.ckpt")


def fit(tmp_path, module, workers, callbacks=(), resume=None, bounds=None):
    bounds = {"tokenizer": Word, **(bounds or {"batch_size": 4, "pool": 3})}
    data = TranslationData(small(), cache=str(tmp_path / "cache"), num_workers=workers, **bounds)
    trainer = pl.Trainer(
        max_epochs=3,
        accelerator="cpu",
        logger=False,
        callbacks=list(callbacks),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        val_check_interval=5,
        default_root_dir=tmp_path,
    )
    trainer.fit(module, data, ckpt_path=resume)
    return trainer


@lightning_talk
@pytest.mark.filterwarnings("ignore:This DataLoader will create 2 worker:UserWarning")  # on one core
@pytest.mark.parametrize(
    ("workers", "bounds", "steps"),
    [
        (0, {"batch_size": 4, "pool": 3}, [3, 16, 26]),  # in the first epoch, in the second, at its end
        (2, {"batch_size": 4, "pool": 3}, [16]),
        (0, {"batch_size": None, "batch_tokens": 30}, [20]),
        (0, {"batch_size": 4, "tokenizer": partial(Bpe, vocab_size=60), "bpe_dropout": 0.3}, [16]),  # pieces drawn anew
        (2, {"batch_size": 4, "tokenizer": partial(Bpe, vocab_size=60), "bpe_dropout": 0.3}, [16]),
    ],
)
def test_resumed_training_is_bit_identical(workers, bounds, steps, tmp_path):
    whole = Journal()
    fit(tmp_path, whole, workers, [SaveEachStep(tmp_path)], bounds=bounds)
    assert bounds["batch_size"] is None or len(whole.seen) == 3 * 13
    assert sorted(row for epoch, rows in whole.seen if epoch == 1 for row in rows) == list(range(50))
    for step in steps:
        resumed = Journal()
        fit(tmp_path, resumed, workers, resume=tmp_path / f"{step}.ckpt", bounds=bounds)
        assert resumed.seen == whole.seen[step:]
        assert torch.equal(resumed.weight, whole.weight)


@lightning_talk
def test_a_trainer_validates_and_tests_every_sentence_once(tmp_path):
    module = Journal()
    trainer = fit(tmp_path, module, 0)
    assert sorted(module.validated) == sorted(list(range(5)) * 6)  # 13 batches: twice in each of three epochs
    corpus = small(test_long=numbered(9, 20))
    trainer.test(module, TranslationData(corpus, Word, str(tmp_path / "cache"), eval_batch_size=3), verbose=False)
    assert sorted(row for loader, rows in module.tested if loader == 0 for row in rows) == list(range(7))
    assert sorted(row for loader, rows in module.tested if loader == 1 for row in rows) == list(range(9))


def _rows_of_a_process(rank, folder, results):
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder / 'meeting'}", rank=rank, world_size=2)
    data = opened(folder, batch_size=4, eval_batch_size=2)
    training = [batch.index.tolist() for batch in data.train_dataloader()]
    validation = [number for batch in data.val_dataloader() for number in batch.index.tolist()]
    results.put((training, validation))
    torch.distributed.destroy_process_group()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # fork beside pytest-xdist's thread
def test_two_processes_share_the_work(tmp_path):
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    processes = [context.Process(target=_rows_of_a_process, args=(rank, tmp_path, results)) for rank in range(2)]
    for process in processes:
        process.start()
    (one, val_one), (two, val_two) = (results.get(timeout=300) for _ in processes)
    for process in processes:
        process.join(timeout=300)
    assert len(one) == len(two) == 7  # of 13 batches
    trained = [row for batch in one + two for row in batch]
    assert trained.count(NO_SENTENCE) == 1  # keeps the second process at work beside the last batch
    assert sorted(row for row in trained if row != NO_SENTENCE) == list(range(50)), "every sentence once"
    assert len(val_one) == len(val_two) == 3  # of two batches each: of 2 and 1, of 2 and one without weight
    assert sorted(val_one + val_two) == [NO_SENTENCE, *range(5)]


@pytest.mark.parametrize("name", ["word", "spacy", "char", "bpe", "unigram"])
def test_presets_of_tokenizers(name, project_root):
    preset = yaml.safe_load((project_root / "conf" / "tokenizer" / f"{name}.yaml").read_text(encoding="utf-8"))
    module, _, kind = preset.pop("_target_").rpartition(".")
    assert (module, preset.pop("_partial_")) == (f"attnlab.data.tokenizers.{name}", True)
    make = partial(getattr(import_module(module), kind), **preset)
    assert make("en").settings == {"language": "en", **preset}


def test_preset_of_the_data(project_root, tmp_path):
    preset = yaml.safe_load((project_root / "conf" / "data" / "translation.yaml").read_text(encoding="utf-8"))
    assert preset.pop("_target_") == "attnlab.data.module.TranslationData"
    assert set(preset) == set(inspect.signature(TranslationData).parameters)
    plain = {name: value for name, value in preset.items() if not str(value).startswith("${")}
    opened(tmp_path, **plain)


def test_an_overfit_check_is_a_test_split_of_training_pairs(tmp_path):
    data = opened(tmp_path, overfit_check=7, max_length=9)
    assert data.test_splits[-1] == "train_check"
    loader = data.test_dataloader()[-1]
    rows = [int(index) for batch in loader for index in batch.index]
    assert len(rows) == len(set(rows)) == 7
    for batch in loader:
        assert max(batch.source_mask.sum(1).max(), batch.target_mask.sum(1).max() - 1) <= 9
        for index, ids, mask in zip(batch.index.tolist(), batch.source, batch.source_mask, strict=True):
            assert data.text("train_check", index) == data.text("train", index)
            assert ids[mask].tolist() == data.source_tokenizer.encode(data.text("train", index).source)
    assert "train_check" not in opened(tmp_path).test_splits


def test_sentences_beyond_the_models_positions_are_told_before_training(tmp_path):
    """Words counted by hand: sides of train have up to 7 and 9 words, of val one has 12, of test 3."""
    data = opened(tmp_path, small(val=[("a", "b"), ("w " * 12, "v")], test=[("a b c", "d")]), pad_to_multiple=1)
    data.require_room(None, None)
    data.require_room(12, 10)  # BOS is read too
    with pytest.raises(
        DataError, match=r"val sentence 1 \(source\) has 12 tokens, .*end at 11; set position.max_.*=12"
    ):
        data.require_room(11, 10)
    with pytest.raises(
        DataError, match=r"train sentence 8 \(target\) has 9 tokens and the start, .*end at 9 \(data.max_"
    ):
        data.require_room(12, 9)
    short = opened(tmp_path, small(), max_length=4, splits=["train"], pad_to_multiple=8)
    short.require_room(8, 8)
    with pytest.raises(DataError, match=r"has 4 tokens and the start, padded to 8, .*max_positions=8"):
        short.require_room(8, 7)
