"""Bad settings: one mistake is one line, told before anything is built or read; never a traceback.

A row is a command line as a shell splits it and how the message begins. What files can do wrong is in
``test_bad_files.py``.
"""

# A row stays on its line.
# ruff: noqa: E501, SIM905

import shlex

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from some_often import some_often

from attnlab.cli import app, build, folders
from attnlab.cli.commands.train import Options
from attnlab.cli.config.compose import Composer
from attnlab.cli.config.machine import OF_SEVERAL_NODES
from attnlab.cli.errors import MistakesError, message, user_error

PARALLEL = "dataset=parallel dataset.source_language=en dataset.target_language=de"


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    for name in OF_SEVERAL_NODES:
        monkeypatch.delenv(name, raising=False)
    folders.register()


def config_of(line, *more):
    arguments = app.read_flags([*shlex.split(line), *more])
    with Composer("train", arguments, Options) as composer:
        return composer.check()


def told(line, *more, built=False):
    """The lines that a user reads; a bug is no such line and fails the test."""
    try:
        config = config_of(line, *more)
        if built:
            build.rehearse(config)
    except Exception as error:
        known = user_error(error)
        if known is None:
            raise
        text = message(known)
        if "\n" in text and not text.partition(" ")[0].isdigit():
            pytest.fail(f"more than a line: {text}")
        return list(known.messages) if isinstance(known, MistakesError) else [str(known)]
    return []


# --- one mistake, one message -------------------------------------------------------------------------------------
NAMES = {
    f"{PARALLEL} trainer.max_epoch=2": ["trainer.max_epoch: unknown key; did you mean max_epochs"],
    f"{PARALLEL} trainer.max_epoch=2 encoder.hiden_dim=3 atention=none": [
        "trainer.max_epoch: unknown key", "encoder.hiden_dim: unknown key; did you mean hidden_dim?",
        "atention: unknown key; did you mean attention",
    ],
    f"-m attention=none,bahdanau trainer.max_epoch=2 {PARALLEL}": ["trainer.max_epoch: unknown key"],
    "dataset=parallel dataset.source_language=en dataset.target_lang=de": [
        "dataset.target_lang: unknown key; did you mean target_language?", "dataset.target_language: a value is required",
    ],
    "dataset=parallel dataset.source_language=en": ["dataset.target_language: a value is required"],
    "attention=luong_dto encoder=lsmt optimizer=adma": ["attention=luong_dto: no", "encoder=lsmt: no", "optimizer=adma: no"],
    "encoder.hidden_dm=3 encoder.layrs=2 decoder.layrs=2": ["encoder.hidden_dm", "encoder.layrs", "decoder.layrs"],
    "+encoder.hidden_dm=3": ["encoder.hidden_dm: Recurrent has no such setting; did you mean hidden_dim?"],
    "++encoder.hidden_dm=3": ["encoder.hidden_dm: Recurrent has no such setting"],
    "~encoder.hidden_dm": ["encoder.hidden_dm: unknown key; did you mean hidden_dim?"],
    "~encodr": ["encodr: unknown key; did you mean encoder"],
    "~attention": ["~attention: attention cannot be left out; write attention=none"],
    "+callbacks.early_stoping=null": ["+callbacks.early_stoping=null: there is no early_stoping to switch off; did you mean early_stopping?"],
    "+callbacks.typo=null": ["+callbacks.typo=null: there is no typo to switch off; there is attention_maps, "],
    "~model": ["~model: model cannot be left out; there is classifier, "],
    "~trainer": ["~trainer: trainer cannot be left out"],
    "~logger": ["~logger: logger cannot be left out; write logger=none"],
    "+experiment=tutorial": ["+experiment=tutorial: experiment has its place already; write experiment=tutorial"],
    "+experiment=tutoral": ["experiment=tutoral: no such option; did you mean tutorial?"],
    "++attention=none": ["++attention=none: attention has its place already; write attention=none"],
    "search=null": ["search=null: null is no option; there is beam, greedy, mbr, reverse, sampling"],
    "attention=null": ["attention=null: null is no option; write attention=none"],
    "attention=[none,bahdanau]": ["attention=[none,bahdanau]: expected one option; several"],
    "encoder=[lstm]": ["encoder=[lstm]: expected one option"],
    "logger=[csv,tensorbord]": ["logger=tensorbord: no such option; did you mean tensorboard?"],
    "-m attention=none,bahdanau seed=1,x": ["seed: came 'x', expected a whole number from 0 to 2^32 - 1"],
    "-m seed=1,2 encoder.hiden_dim=3": ["encoder.hiden_dim: unknown key"],
    "-m attention=luong_dto,none trainer.max_epoch=2": ["attention=luong_dto: no such option", "trainer.max_epoch"],
    "--multirn seed=1": ["--multirn: there is no such flag; did you mean --multirun"],
    "--seed=2": ["--seed=2: there is no such flag; settings have no hyphens in front: seed=2"],
    "--config-dir": ["argument --config-dir/-cd: expected one argument"],
    "--config-dir /nowhere": ["--config-dir /nowhere: there is no such folder"],
    "--config-name trian": ["--config-name trian: there is no such file; did you mean train"],
    "seed =2": ["'seed =2' cannot be read (blanks beside the =); write seed=2"],
    "seed= 2": ["'seed= 2' cannot be read (blanks beside the =); write seed=2"],
    "seed = 2": ["'seed = 2' cannot be read (blanks beside the =); write seed=2"],
    "=2": ["'=2' cannot be read (no key)"],
    "seed:2": ["'seed:2' cannot be read (unexpected character)"],
    "\u2014m seed=1": ["'\u2014m' cannot be read (unexpected character); flags start with a plain hyphen: -m"],
    "seed=\u201c2\u201d": ["'seed=\u201c2\u201d' cannot be read (unexpected character); its quotes are typographic"],
    "optimizer.lr=1e-3,": ["'optimizer.lr=1e-3,' cannot be read"],
    "optimizer.lr=0,001": ["optimizer.lr: several values need the flag -m"],
    "optimizer.betas=[0.9,0.98": ["'optimizer.betas=[0.9,0.98' cannot be read"],
    "seed=${seed}": ["seed: Recursive interpolation detected"],
    "model.dropout=${nowhere}": ["model.dropout: Interpolation key 'nowhere' not found"],
    "encoder.hidden_dim=${decoder.hidden_dim} decoder.hidden_dim=${encoder.hidden_dim}": ["encoder.hidden_dim: Recursive"],
    "encoder.hidden_dim=${nores:1}": ["encoder.hidden_dim: Unsupported interpolation type nores"],
    "model.encoder.hidden_dim=3": ["model.encoder.hidden_dim: model.encoder is ${encoder}; set encoder.hidden_dim"],
    "model.encoder=3": ["model.encoder: came 3, expected a component"],
    "attention/windw=all": ["attention/windw: unknown key"],
    "attention=none attention/window=local_p": ["attention/window: the chosen option of attention has no window"],
    "hydra/launcher=jobib": ["hydra/launcher=jobib: no such option; did you mean joblib?"],
    "hydra/launcher=joblib hydra.launcher.nope=2": [
        "hydra.launcher.nope: unknown key; there is backend, batch_size, ",
    ],
    "hydra/launchr=joblib": ["hydra/launchr: no such group; did you mean hydra/launcher"],
    "callbacks.checkpoint.monitor=x": ["callbacks.checkpoint.monitor: unknown key; did you mean checkpoints?"],
    "optimizer._target_=torch.optim.Adm": ["optimizer._target_: there is no torch.optim.Adm"],
    "optimizer._target_=torch.optim.RMSprop": [
        "optimizer.betas: RMSprop has no such setting; ~optimizer.betas leaves it out",
        "optimizer.fused: RMSprop has no such setting; ~optimizer.fused leaves it out",
    ],
    "optimizer._target_=torch.optim.RMSprop ~optimizer.betas ~optimizer.fused": [],
    "optimizer._target_=torch.optim": ["optimizer._target_: there is no torch.optim"],
    "optimizer._target_=3": ["optimizer._target_: came 3, expected the name of a class"],
    "optimizer._partial_=false": ["optimizer._partial_: came false, expected true"],
    "encoder._target_=attnlab.decoders.luong.Luong": ["encoder._target_: attnlab.decoders.luong.Luong builds no Encoder"],
    "decoder._target_=attnlab.encoders.recurrent.Recurrent": ["decoder._target_: attnlab.encoders.recurrent.Recurrent builds"],
    "optimizer._target_=attnlab.encoders.recurrent.Recurrent": ["optimizer._target_: "],
    "encoder._target_=torch.optim.adam.Adam": ["encoder._target_: "],
    "trainer._target_=torch.optim.adam.Adam": ["trainer._target_: torch.optim.adam.Adam builds no Trainer"],
    "scheduler.make._target_=torch.optim.sgd.SGD": ["scheduler.make._target_: torch.optim.sgd.SGD builds no LRScheduler"],
    "callbacks.progress._target_=pytorch_lightning.loggers.csv_logs.CSVLogger": ["callbacks.progress._target_: "],
    "attention._target_=math.sqrt": ["attention._target_: math.sqrt takes none of the settings"],
    "resume=3": ["resume: came 3, expected a path or null"],
    "resume=nan": ["resume: came nan, expected a path"],
    "resume=???": ["resume: a value is required"],
    "resume=''": ["resume: came '', expected a path or null"],
    "ckpt_path=": ["ckpt_path: came '', expected a path or null"],
    "ckpt_path={}": ["ckpt_path: came {}"],
    "sweep_name=???": ["sweep_name: a value is required (a name of a file or folder, without /): set sweep_name"],
    "sweep_name=..": ["sweep_name: came '..', expected a name of a file or folder, without /"],
    "sweep_name='\"a\nb\"'": ["sweep_name: came 'a\\nb', expected a name of a file or folder, without /"],
    "trust=[1]": ["trust: came [1], expected a list, each text"],
    "trust=os": ["trust: came 'os', expected a list"],
    "measure=[blue]": ["measure: blue is no known quantity; did you mean bleu?"],
    "measure=bleu": ["measure: came 'bleu', expected a list"],
    "measure=[null]": ["measure: came [None], expected a list"],
    "callbacks.checkpoints.monitor=null": ["callbacks.checkpoints.monitor: came null, expected text"],
    "logger.wandb.tags=[1,null]": ["logger.wandb.tags: came [1, None], expected a list"],
    f"{PARALLEL} dataset.train=3": ["dataset.train: came 3, expected a path or a list"],
    f"{PARALLEL} dataset.train=x.tsv dataset.columns=[-1,0]": ["dataset.columns: came [-1, 0], expected"],
    "dataset=huggingface dataset.path=x dataset.source_language=en dataset.target_language=de dataset.data_files={train:3}": ["dataset.data_files: came {'train': 3}, expected a mapping"],
    "sweep_name=/tmp": ["sweep_name: came '/tmp', expected a name of a file or folder"],
    "-m sweep_name=a/../../b seed=1,2": ["sweep_name: came 'a/../../b', expected a name of a file or folder"],
    "paths.root=???": ["paths.root: a value is required"],
    "paths.cache=": ["paths.cache: came '', expected a path"],
    "paths=[]": ["paths=[]: an empty list is no option; there is default"],
    "paths={}": ["paths={}: an empty mapping changes nothing; choose an option of it (there is default) or set a value"],
    "dataset=[]": ["dataset=[]: an empty list is no option; there is agnews"],
    "logger=[]": ["logger=[]: an empty list is no option; write logger=none"],
    "encoder={}": ["encoder={}: an empty mapping changes nothing"],
    "callbacks.checkpoints={}": ["callbacks.checkpoints={}: an empty mapping changes nothing; set a value in it, callbacks.checkpoints.<name>=…"],
    "optimizer.lr={}": ["optimizer.lr: came {}, expected a number"],
    "seed={} encoder.layrs=2": ["seed: came {}", "encoder.layrs: unknown key"],
    "+callbacks.mine={}": ["callbacks.mine: has no _target_; expected a component"],
    "+logger.mine={a:3}": ["logger.mine: has no _target_; expected a component"],
    "~encoder._target_": ["encoder: has no _target_; expected a component"],
    "~trainer._target_": ["trainer: has no _target_"],
    "encoder._partial_=-1": ["encoder._partial_: came -1, expected true or false"],
    "encoder._partial_=nan": ["encoder._partial_: came nan, expected true or false"],
    "+trainer._partial_=nan": ["trainer._partial_: came nan, expected true or false"],
    "+encoder._recursive_=3": ["encoder._recursive_: came 3, expected true or false"],
    "+encoder._convert_=some": ["encoder._convert_: came 'some', expected one of none, partial, object, all"],
    "callbacks.history.path=": ["callbacks.history.path: came '', expected a path"],
    "callbacks.run_files.directory='\"  \"'": ["callbacks.run_files.directory: came '  ', expected a path"],
    "dataset=multi30k dataset.root=": ["dataset.root: came '', expected a path"],
    "hydra.sweeper.params={seed:1}": ["hydra.sweeper.params={seed:1}: what is swept is written on its own: -m key=value"],
    "-m hydra.sweeper.params.seed=1": ["hydra.sweeper.params.seed=1: what is swept is written on its own"],
    "-m seed=range(1,1000000000)": ["seed=range(1,1000000000): more than 100,000 values"],
    "-m seed=shuffle(range(1,1000000000000))": ["seed=shuffle(range(1,1000000000000)): more than 100,000 values"],
    "-m optimizer.lr=range(0.1,1,1e-300)": ["optimizer.lr=range(0.1,1,1e-300): more than 100,000 values"],
    "-m optimizer.lr=range(0.1,inf)": ["optimizer.lr=range(0.1,inf): a range without an end"],
    "-m seed=range(1,3,0)": ["seed=range(1,3,0): a range without an end"],
    "-m seed=range(0) attention=none,bahdanau": ["seed=range(0): this sweep has no value, so there would be no job"],
    "-m attention=glob(zzz*)": ["attention=glob(zzz*): this sweep has no value"],
    "-m seed=range(1,1000) data.seed=range(1,1000)": ["the values that are swept make more than 100,000 jobs"],
    "-m optimizer.lr=interval(0.1,1)": ["optimizer.lr=interval(0.1,1): Hydra's own sweeper runs lists and ranges"],
    "optimizer.betas=[0.9, 0.98]": ["'optimizer.betas=[0.9, 0.98]' cannot be read (blanks within the brackets); write optimizer.betas=[0.9,0.98]"],
    "hydra.run.dir=": ["hydra.run.dir: came '', expected a path"],
    "hydra.run.dir=???": ["hydra.run.dir: a value is required (a path)"],
    "-m hydra.sweep.dir= seed=1,2": ["hydra.sweep.dir: came '', expected a path"],
    "~paths.run": ["paths.run: missing"],
    "dataset=sst model=linear encoder.hidden_dim=3": ["encoder.hidden_dim: there is no encoder here to set it of; model=seq2seq, classifier"],
    "dataset=sst search.beam=3 decoder.layers=2": ["search.beam: there is no search here to set it of; task=translation", "decoder.layers: there is no"],
    "experiment.seed=3": ["experiment.seed: there is no experiment here to set it of; choose one, experiment=…; there is"],
    "dataset=sst task.class_weights.spam=3": ["task.class_weights.spam: task.class_weights is null here; set it as a whole, task.class_weights={spam:"],
    "@seed=1": ["'@seed=1' cannot be read (no key)"],
    "callbacks.early_stopping.monitor=val/blue": ["callbacks.early_stopping"],
    "callbacks.checkpoints.monitor=val/blue": ["callbacks.checkpoints"],
}  # fmt: skip

# --- choices that are right alone: one of them is told, and nothing that follows from it -------------------------------
LINEAR = "dataset=sst model=linear"
TOGETHER = {
    "dataset=grammar model=linear": ["model=linear: a Linear is no Seq2Seq, which task=translation takes; take model=latent, seq2seq, or a data set of task=classification: dataset=agnews, "],
    "model=classifier": ["model=classifier: a Classifier is no Seq2Seq"],
    "dataset=sst model=seq2seq": ["model=seq2seq: a Seq2Seq is no Classifier or Linear, which task=classification takes; take model=classifier, linear, or a data set of task=translation: dataset=europarl, grammar"],
    "dataset=sst data=translation": ["data=translation: a TranslationData is no LabelledData"],
    "data=classification": ["data=classification: a LabelledData is no TranslationData"],
    "model=linear encoder=lstn seed=x": ["encoder=lstn: no such option", "model=linear: a Linear is no Seq2Seq", "seed: came 'x'"],
    "-m dataset=grammar model=linear,seq2seq": ["model=linear: a Linear is no Seq2Seq"],
    **{f"{LINEAR} {setting}": [f"{setting}: nothing reads it with a Linear, so it would do nothing"] for setting in (
        "trainer.max_epochs=3", "data.batch_size=3", "task.label_smoothing=0.2", "data.vectors=x.txt",
        "callbacks.early_stopping.patience=3", "+trainer.min_epochs=2", "data.ngrams={_target_:attnlab.data.labelled.ngrams.Ngrams}")},
    f"{LINEAR} data.batch_siz=3 data.pool=2": ["data.batch_siz: unknown key", "data.pool=2: nothing reads it"],
    f"{LINEAR} data.ngrams.buckets=3": ["data.ngrams.buckets: data.ngrams is null here"],
    f"-m {LINEAR} data.pool=3,4": ["data.pool=3: nothing reads it", "data.pool=4: nothing reads it"],
    f"{LINEAR} callbacks=ema": ["callbacks.weight_average: a Linear is fitted at once, so there are no updates to average over"],
    f"{LINEAR} +callbacks.swa._target_=pytorch_lightning.callbacks.StochasticWeightAveraging +callbacks.swa.swa_lrs=0.1": ["callbacks.swa: a Linear is fitted at once"],
    f"{LINEAR} model.C=0 model.features=bag": ["model.C: came 0", "model.features: came 'bag', expected one of tfidf, nb"],
    f"{LINEAR} attention=bahdanau encoder=lstm": ["attention=bahdanau: nothing that was chosen takes it", "encoder=lstm: nothing"],
    f"{LINEAR} optimizer.lr=0.1": ["optimizer.lr: there is no optimizer here to set it of; models that are trained by gradients"],
    f"{LINEAR} encoder=lstm": ["encoder=lstm: nothing that was chosen takes it, so it would do nothing; model=seq2seq, classifier"],
    **{f"model=latent {more}": ["model=latent brings decoder/readout along, and there is no decoder here that has one; take an option of decoder"] for more in (
        "dataset=sst", "dataset=taylor", "decoder=transformer")},
    "dataset=sst search=beam": ["search=beam: nothing that was chosen takes it, so it would do nothing; task=translation has one"],
    "dataset=sst bridge=learned": ["bridge=learned: nothing that was chosen takes it"],
    **{f"dataset=sst {more}attention=none": [f"attention=none: pooling={name} looks at the words by attention, and that looks at nothing; the controls"] for name, more in (
        ("context_vector", ""), ("last_state", "pooling=last_state "), ("structured", "pooling=structured "))},
}  # fmt: skip
TAKEN = (
    f"-m {LINEAR},classifier data.batch_size=3,4", f"{LINEAR} seed=2 task.class_weights=balanced data.max_length=9",
    "dataset=sst pooling=mean attention=none", "-m model=classifier,linear dataset=sst trainer.max_epochs=3",
)  # fmt: skip

# --- a value out of its range: the key is the row's last ------------------------------------------------------------
RANGES = """
encoder.layers=0 encoder.layers=-1 encoder.layers=1000000 encoder.layers=1.0 encoder.layers=true encoder.layers=null
encoder.hidden_dim=0 encoder.hidden_dim=nan encoder.hidden_dim=99999999999 decoder.layers=0 decoder.hidden_dim=-3
model.embedding_dim=0 model.dropout=nan model.dropout=1 model.dropout=-0.1 model.dropout=inf model.dropout=some
model.initialization.scale=-1 model.initialization.scale=nan model.initialization.forget_bias=inf
optimizer.lr=nan optimizer.lr=inf optimizer.lr=-1 optimizer.lr=0 optimizer.lr=1e400 optimizer.lr=true
optimizer.betas=[0.9] optimizer.betas=[0.9,1.0] optimizer.betas=[nan,0.9] optimizer.betas=0.9 optimizer.eps=-1
optimizer.weight_decay=-1 +optimizer.foreach=3 seed=-1 seed=4294967296 seed=1e3 seed=null seed=x data.seed=-1
trainer.accumulate_grad_batches=0 trainer.accumulate_grad_batches=-1 trainer.val_check_interval=0
trainer.val_check_interval=0.0 trainer.val_check_interval=1.5 trainer.check_val_every_n_epoch=0
trainer.max_epochs=-2 trainer.max_epochs=nan trainer.max_steps=0 trainer.devices=0 trainer.devices=-2
trainer.limit_train_batches=0 trainer.limit_train_batches=-1 trainer.limit_train_batches=1.5
trainer.limit_val_batches=-1 trainer.log_every_n_steps=-1 trainer.gradient_clip_val=-1 trainer.gradient_clip_val=nan
trainer.max_time=5 trainer.max_time=tomorrow trainer.max_time=00:00 trainer.max_time={hours:1}
trainer.val_check_interval=abc trainer.gradient_clip_algorithm=foo trainer.precision=12 +trainer.overfit_batches=-1 +trainer.num_nodes=0 +trainer.min_epochs=-1
search.max_length=0 search.min_length=-1 search.max_ratio=0 search.max_ratio=nan search.max_extra=-1
scheduler.make.warmup=-1 scheduler.interval=epcoh task.label_smoothing=1 task.label_smoothing=-0.1 task.coverage_loss=-1
task.validation_sentences=-1 task.teacher_forcing.probability=2 task.teacher_forcing.steps=0
task.teacher_forcing.floor=-0.5 data.batch_size=0 data.batch_tokens=0 data.pool=0 data.num_workers=-1
data.num_workers=100000 data.max_length=0 data.train_size=0 data.overfit_check=-1 data.prepare_processes=0
data.eval_batch_size=0 data.pad_to_multiple=0 dataset.train_size=0 dataset.val_size=-1 dataset.max_words=1000000
dataset.seed=-1 dataset.source_language=fr tokenizer.max_size=0 tokenizer.max_size=4 tokenizer.max_size=true tokenizer.min_frequency=0 tokenizer.lowercase=x tokenizer.lowercase=1
tokenizer.lowercase=null
callbacks.early_stopping.patience=-1 callbacks.early_stopping.min_delta=-1 callbacks.checkpoints.mode=mx
callbacks.checkpoints.every_n_steps=0 callbacks.attention_maps.sentences=-1 callbacks.attention_maps.every_n_epochs=0
callbacks.attention_maps.max_length=0 callbacks.run_files.maps=-1 callbacks.run_files.figures=-1
callbacks.samples.sentences=-1 callbacks.progress.refresh_rate=-1 logger.wandb.init_timeout=-1
logger.wandb.init_timeout=nan
""".split()
WITH_CHOICES = (
    """
search=beam search.beam=100000|search=beam search.beam=0|search=beam search.n_best=0|search=beam search.patience=0
search=beam search.length_penalty=nan|search=beam search.coverage_penalty=-1|search=sampling search.top_p=0
search=sampling search.top_k=0|search=sampling search.temperature=0|search=sampling search.samples=0
scheduler=noam scheduler.make.warmup=0|scheduler=plateau scheduler.make.factor=1.0
scheduler=plateau scheduler.make.patience=-1|optimizer=sgd optimizer.momentum=-1|optimizer=sgd optimizer.momentum=1
encoder=transformer encoder.layer.heads=0|encoder=transformer encoder.layer.feedforward_dim=0
encoder=convolutional encoder.kernel=0|encoder=transformer position=learned position.max_positions=0
attention/window=local_m attention.window.D=0|attention/normalizer=entmax attention.normalizer.alpha=1
attention/normalizer=softmax attention.normalizer.temperature=-1|attention=multi_head attention.heads=0
attention=cosine attention.score.sharpness=0|callbacks=ema callbacks.weight_average.decay=1.0
tokenizer=bpe tokenizer.vocab_size=0|tokenizer=bpe tokenizer.vocab_size=4|tokenizer=unigram tokenizer.vocab_size=1.5|tokenizer=bpe tokenizer.fit_lines=0|logger=csv logger.csv.flush_logs_every_n_steps=0
dataset=tatoeba dataset.val_size=1.5|dataset=tatoeba dataset.first=0|dataset=newstest dataset.test_size=-1
""".strip()
    .replace("\n", "|")
    .split("|")
)

# --- what only building shows -----------------------------------------------------------------------------------------
BUILT = {
    "encoder.hidden_dim=1000000": "this model has 8,003,",
    "encoder.layers=1000 encoder.hidden_dim=100000": "this model has ",
    "attention=luong_location attention.score.max_positions=16777216 decoder.hidden_dim=1000000": "this model has ",
    "+trainer.num_nodes=2": "trainer.num_nodes=2: this process knows of no other node, and would wait for them",
    "trainer.devices=9999": "trainer.devices=9999: this machine has ",
    "search=beam search.beam=10000 data.eval_batch_size=100000000": "search.beam=10000 with data.eval_batch_size=100000000",
    "search=beam search.beam=3 search.n_best=4": "n_best=4",
    "attention=markov dataset=taylor": "model=forecaster looks at a window at once, and Markov asks where earlier steps have looked",
    "attention=multi_head attention.heads=7": "7 heads cannot share out a size of 128",
    "search.min_length=600": "min_length=600",
    "dataset=sst model=linear optimizer=adam scheduler=constant": "optimizer: Linear is fitted at once and not by gradients",
    "dataset=sst task=translation": "dataset: sst has no sentence pairs, which task=translation asks for",
    "task=classification": "dataset: grammar has no labelled texts, which task=classification asks for",
    f"{PARALLEL} dataset.train=x.tsv dataset.columns=[1,1]": "parallel: columns=[1, 1]: expected two different columns",
    "task.teacher_forcing.floor=0.9 task.teacher_forcing.probability=0.1": "task.teacher_forcing needs 0 <= floor <=",
}


@pytest.mark.parametrize("line", some_often([*NAMES, *TOGETHER], 3))
def test_one_mistake_one_message(line):
    found, expected = told(line), (NAMES | TOGETHER)[line]
    assert len(found) == len(expected), found
    for start in expected:
        assert any(text.startswith(start) for text in found), found


@pytest.mark.parametrize("line", TAKEN)
def test_what_some_job_reads_is_no_mistake(line):
    assert told(line) == []


def key_of(word):
    return word.lstrip("+").partition("=")[0]


def asked_together(lines):
    """The last words of lines that are alike before them, each key once a line."""
    together = {}
    for line in lines:
        *before, last = shlex.split(line)
        rows = together.setdefault(tuple(before), [])
        row = next((row for row in rows if key_of(last) not in map(key_of, row)), None)
        if row is None:
            rows.append(row := [])
        row.append(last)
    return [(shlex.join(before), row) for before, rows in together.items() for row in rows]


def check_ranges(before, words):
    found = told(before, *words)
    assert len(found) == len(words), found
    for word in words:
        assert sum(text.startswith(f"{key_of(word)}: came ") and ", expected " in text for text in found) == 1, found


@pytest.mark.parametrize(("before", "words"), some_often(asked_together([*RANGES, *WITH_CHOICES])))
def test_values_out_of_their_ranges_are_told_with_key_value_and_range(before, words):
    check_ranges(before, words)


@pytest.mark.long
@pytest.mark.parametrize("line", [*RANGES, *WITH_CHOICES])
def test_a_value_out_of_its_range_is_told_alone(line):
    *before, word = shlex.split(line)
    check_ranges(shlex.join(before), [word])


@pytest.mark.parametrize("line", BUILT)
def test_what_only_building_shows(line):
    found = told(line, built=True)
    assert len(found) == 1, found
    assert found[0].startswith(BUILT[line]), found


def test_the_table_is_long():
    assert len(NAMES) + len(RANGES) + len(WITH_CHOICES) + len(BUILT) >= 150


# --- files of a folder of configurations ------------------------------------------------------------------------------
def laughing(levels):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, levels)]
    return "\n".join(lines)


FILES = {
    "a: [1\n": ", line 2: ",
    "a:\t1\n\tb: 2": ", line 1: ",
    "seed: 1\nseed: 2\n": ", line 2: found duplicate key seed",
    b"\xff\xfe\x00": "invalid UTF-8",
    "null: 3\n": "Incompatible key type",
    'seed: !!python/object/apply:os.system ["echo hi"]\n': ", line 1: could not determine a constructor for the tag",
    "defaults:\n  - mine\n": "the defaults lists of two configurations include each other",
    "defaults:\n  - nothere\n": "Could not load 'experiment/nothere'",
    "# @package _global_\ndefaults:\n  - override /attention: bahdana\n": "attention=bahdana: no such option",
    "# @package _global_\nencoder:\n  hiden_dim: 3\n": "encoder.hiden_dim: Recurrent has no such setting",
    "# @package _global_\noptimizer:\n  lr: .nan\n": "optimizer.lr: came nan, expected a number above 0",
    "just text": "mine.yaml: no configuration, which has keys and values",
    "12": "mine.yaml: no configuration, which has keys and values",
    "- a\n- b\n": "mine.yaml: no configuration, which has keys and values",
    "# @package _global_\na: {b0: x, "
    + ", ".join(f"b{i}: '${{a.b{i - 1}}}${{a.b{i - 1}}}'" for i in range(1, 40))
    + "}\nsweep_name: ${a.b39}": "a.b14: its references stand for more than 20,000 values",
    laughing(9): "its aliases stand for more than",
    "a: " + "[" * 5000 + "]" * 5000: "nested more than",
}


@pytest.mark.parametrize("content", FILES, ids=range(len(FILES)))
def test_a_file_that_is_no_configuration(content, tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    found = told(f"--config-dir {tmp_path} experiment=mine")
    assert len(found) == 1, found
    assert FILES[content] in found[0]


def test_a_hundred_innocent_aliases_are_read(tmp_path):
    (tmp_path / "experiment").mkdir()
    text = "# @package _global_\nmodel:\n  dropout: &d 0.2\nencoder:\n  dropout: *d\n"
    (tmp_path / "experiment" / "mine.yaml").write_text(text, "utf-8")
    assert config_of(f"--config-dir {tmp_path} experiment=mine").encoder.dropout == 0.2


# --- anything at all --------------------------------------------------------------------------------------------------
KEYS = ["seed", "encoder.layers", "model.dropout", "optimizer.lr", "optimizer.betas", "data.batch_size", "attention",
        "trainer.max_epochs", "trainer.devices", "search", "logger.wandb.tags", "callbacks.progress", "dataset.val_size"]  # fmt: skip
VALUES = st.one_of(
    st.integers().map(str), st.floats(allow_subnormal=False).map(str), st.text(max_size=12),
    st.sampled_from(["null", "true", "[]", "{}", "???"]),
    st.lists(st.integers(), max_size=3).map(str), st.text("[]{}'\"$:,=\\ ~+", max_size=8),
)  # fmt: skip


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(KEYS), st.sampled_from(["", "+", "++"]), VALUES)
def test_any_value_is_taken_or_told_in_lines(key, sign, value):
    for text in told("", f"{sign}{key}={value}"):
        assert text.strip()
        assert len(text) < 2000
