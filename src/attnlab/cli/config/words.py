"""Words that people try first, from papers and other libraries, and what they are to write here.

A setting is looked for in the composed configuration, so that what has one of that name is found wherever it stands;
here are only the words that no name here resembles.
"""

from collections.abc import Iterable, Iterator, Sequence

from omegaconf import DictConfig, OmegaConf

from attnlab.cli.config.places import names_at, node_at
from attnlab.cli.errors import nearest

TRANSFORMER = "attention=multi_head, which brings the Transformer's encoder and decoder along"
OPTIONS: dict[str, dict[str, str]] = {  # by group and word
    "attention": {
        "local": "attention=luong_local_p (the place is predicted) or attention=luong_local_m (it goes along)",
        "global": "attention=luong_general, or any other without local in its name",
        "luong": "attention=luong_general, attention=luong_dot, attention=luong_concat or attention=luong_location",
        "dot": "attention=luong_dot, or attention=scaled_dot (over the square root of the size)",
        "dot_product": "attention=luong_dot, or attention=scaled_dot (over the square root of the size)",
        "multiplicative": "attention=luong_general (q W k), or attention=luong_dot (q k)",
        "bilinear": "attention=luong_general",
        "general": "attention=luong_general",
        "additive": "attention=bahdanau (before the recurrent step), or attention=luong_concat (after it)",
        "mlp": "attention=bahdanau (before the recurrent step), or attention=luong_concat (after it)",
        "concat": "attention=luong_concat (after the recurrent step), or attention=tutorial_concat",
        "self": TRANSFORMER,
        "self_attention": TRANSFORMER,
        "transformer": TRANSFORMER,
        "multihead": TRANSFORMER,
        "soft": "attention=bahdanau or attention=luong_general; nearly all are soft",
        "hard": "attention=hard_st (straight-through), attention=hard_sampled (drawn) or attention=gumbel",
        "stochastic": "attention=hard_sampled or attention=gumbel",
        "mean": "attention=uniform",
        "average": "attention=uniform",
        "random": "attention=random_fixed",
        "off": "attention=none",
        "false": "attention=none",
    },
    "encoder": {
        "bilstm": "encoder=lstm, which reads both ways unless encoder.bidirectional=false",
        "bigru": "encoder=gru, which reads both ways unless encoder.bidirectional=false",
        "birnn": "encoder=rnn, which reads both ways unless encoder.bidirectional=false",
        "cnn": "encoder=convolutional or encoder=tcn",
        "conv": "encoder=convolutional or encoder=tcn",
    },
    "decoder": {
        "lstm": "decoder=luong or decoder=bahdanau with decoder.cell=lstm",
        "gru": "decoder=luong or decoder=bahdanau with decoder.cell=gru, or decoder=conditional_gru",
        "rnn": "decoder=luong (attention after the step) or decoder=bahdanau (before it)",
    },
    "model": {
        "transformer": TRANSFORMER,
        "rnn": "encoder=rnn, lstm or gru; the model is chosen by the task",
        "lstm": "encoder=lstm; the model is chosen by the task",
        "bilstm": "encoder=lstm, which reads both ways; the model is chosen by the task",
        "gru": "encoder=gru; the model is chosen by the task",
        "cnn": "encoder=convolutional; the model is chosen by the task",
        "logistic": "model=linear, with a task that has one: dataset=sst",
        "svm": "model=linear model.features=nb, with a task that has one: dataset=sst",
        "encoder_decoder": "model=seq2seq",
        "han": "experiment=hierarchical, or model=hierarchical with documents of your own",
        "esim": "model=decomposable encoder=lstm, with pairs of sentences: dataset=sick",
        "arima": "model=sarimax, with a series: dataset=taylor",
        "persistence": "model=naive, with a series: dataset=taylor",
        "tcn": "encoder=tcn; the model is chosen by the task",
    },
    "dataset": {
        "eng_fra": "dataset=tatoeba dataset.source_language=fr dataset.target_language=en",
        "fra_eng": "dataset=tatoeba dataset.source_language=fr dataset.target_language=en",
        "own": "dataset=parallel (two languages) or dataset=labelled (texts and classes)",
        "custom": "dataset=parallel (two languages) or dataset=labelled (texts and classes)",
        "csv": "dataset=labelled dataset.train=my.csv",
        "tsv": "dataset=parallel dataset.train=my.tsv, or dataset=labelled, with classes",
        "jsonl": "dataset=labelled dataset.train=my.jsonl",
        "hf": "dataset=huggingface (two languages) or dataset=huggingface_labelled",
        "hub": "dataset=huggingface (two languages) or dataset=huggingface_labelled",
        "toy": "dataset=grammar",
        "synthetic": "dataset=grammar",
        "anki": "dataset=tatoeba",
        "manythings": "dataset=tatoeba",
        "sst2": "dataset=sst (sentences) or dataset=sst2_phrases",
        "sst5": "dataset=sst_fine",
        "imdb": "dataset=documents dataset.train=my.jsonl, or dataset=movie_reviews",
        "mnli": "dataset=snli dataset.train=my.jsonl, which reads its format, too",
        "series": "dataset=csv_series dataset.file=my.csv",
        "wmt": "dataset=newstest (to test on) or dataset=europarl",
    },
    "pooling": {
        "attention": "pooling=context_vector or pooling=last_state",
        "self_attention": "pooling=structured (Lin et al. 2017), or pooling=context_vector",
        "average": "pooling=mean",
        "avg": "pooling=mean",
        "cls": "pooling=last",
    },
    "position": {
        "absolute": "position=sinusoidal or position=learned",
        "relative": "position=shaw, position=t5, position=music or position=alibi",
        "rope": "position=rotary",
        "sin": "position=sinusoidal",
    },
    "tokenizer": {
        "subword": "tokenizer=bpe or tokenizer=unigram",
        "sentencepiece": "tokenizer=unigram or tokenizer=bpe",
        "moses": "tokenizer=word (one regular expression; not Moses's rules)",
        "character": "tokenizer=char",
        "split": "tokenizer=whitespace",
    },
    "trainer": {
        "cuda": "trainer=gpu",
        "mps": "trainer.accelerator=mps",
        "ddp_sim": "trainer=ddp_cpu",
        "fast_dev_run": "debug=default",
        "debug": "debug=default",
    },
    "debug": {
        "true": "debug=default, a single batch of everything",
        "fdr": "debug=default",
        "profile": "debug=profiler",
        "false": "debug=default for a trial, and no debug=… for a run proper",
    },
    "callbacks": {
        "early_stopping": "callbacks.early_stopping.patience=…, which callbacks=default has",
        "model_checkpoint": "monitor=…, by which the checkpoints of callbacks=default are chosen",
        "rich_progress_bar": "callbacks=default, which has one",
    },
    "optimizer": {
        "rmsprop": "optimizer=adam, or a file conf/optimizer/rmsprop.yaml of your own (docs/extending.md)",
        "adagrad": "optimizer=adam, or a file conf/optimizer/adagrad.yaml of your own (docs/extending.md)",
    },
    "scheduler": {
        "linear": "scheduler=warmup_linear",
        "warmup": "scheduler=warmup_linear or scheduler=warmup_inverse_sqrt",
        "transformer": "scheduler=noam",
        "step": "scheduler=luong_halving",
        "halving": "scheduler=luong_halving",
        "reduce_on_plateau": "scheduler=plateau",
        "none": "scheduler=constant",
    },
    "logger": {
        "many_loggers": "logger=wandb, logger=csv, …, or several: 'logger=[wandb,csv]'",
        "false": "logger=none",
        "tb": "logger=tensorboard", "weights_and_biases": "logger=wandb", "file": "logger=csv",
    },
}  # fmt: skip
SETTINGS: dict[str, str] = {  # by word, the name of a setting
    "batch": "batch_size",
    "beams": "beam",
    "beam_size": "beam",
    "beam_width": "beam",
    "num_beams": "beam",
    "clip": "gradient_clip_val",
    "grad_clip": "gradient_clip_val",
    "gradient_clip": "gradient_clip_val",
    "emb_dim": "embedding_dim",
    "embed_dim": "embedding_dim",
    "embedding_size": "embedding_dim",
    "embed_size": "embedding_dim",
    "epochs": "max_epochs",
    "n_epochs": "max_epochs",
    "num_epochs": "max_epochs",
    "grad_accum": "accumulate_grad_batches",
    "gradient_accumulation_steps": "accumulate_grad_batches",
    "hidden": "hidden_dim",
    "hidden_size": "hidden_dim",
    "units": "hidden_dim",
    "rnn_size": "hidden_dim",
    "lang": "target_language",
    "src_lang": "source_language",
    "tgt_lang": "target_language",
    "learning_rate": "lr",
    "learningrate": "lr",
    "max_len": "max_length",
    "maxlen": "max_length",
    "offline": "mode",
    "n_heads": "heads",
    "nhead": "heads",
    "num_heads": "heads",
    "n_layers": "layers",
    "num_layers": "layers",
    "depth": "layers",
    "random_seed": "seed",
    "smoothing": "label_smoothing",
    "steps": "max_steps",
    "num_steps": "max_steps",
    "vocab": "vocab_size",
    "vocabulary_size": "vocab_size",
    "wd": "weight_decay",
    "workers": "num_workers",
}
OPTIONAL: dict[str, str] = {  # of options that are not taken by default, with the value to come in {}
    "beam": "search=beam search.beam={}",
    "heads": "attention=multi_head attention.heads={}",
    "momentum": "optimizer=sgd optimizer.momentum={}",
    "vocab_size": "tokenizer=bpe tokenizer.vocab_size={}",
    "patience": "callbacks.early_stopping.patience={}",
}
INSTEAD: dict[str, str] = {  # of what is no setting, or none by itself
    "hparams_search": "-m sweep=tune",
    "task_name": "notes={} or tags=[{}]",
    "extras": "print_config=true",
    "teacher_forcing_ratio": "task.teacher_forcing.probability={}",
    "dropout_p": "model.dropout={}",
    "n_iters": "trainer.max_steps={}",
    "reverse": "dataset.source_language=… dataset.target_language=…, the other way round",
    "lang1": "dataset.source_language={}, of two letters",
    "lang2": "dataset.target_language={}, of two letters",
    "plot_attention": "callbacks.run_files.figures=8; translate.py draws any sentence, plot=pictures",
    "gpu": "trainer=gpu",
    "gpus": "trainer=gpu trainer.devices={}",
    "num_gpus": "trainer=gpu trainer.devices={}",
    "device": "trainer=cpu or trainer=gpu",
    "cuda": "trainer=gpu",
    "fp16": "trainer.precision=16-mixed",
    "bf16": "trainer.precision=bf16-mixed",
    "amp": "trainer.precision=bf16-mixed",
    "seeds": "-m seed=1,2,3",
    "n_seeds": "-m seed=1,2,3",
    "window": "attention/window={}",
    "normalizer": "attention/normalizer={}",
    "pretrained": "data.vectors=my.vec",
    "embeddings": "data.vectors=my.vec",
    "output_dir": "hydra.run.dir={}",
    "name": "notes={} or tags=[{}]",
    "run_name": "notes={} or tags=[{}]",
    "project": "logger.wandb.project={}",
    "wandb_project": "logger.wandb.project={}",
}
NOTHING: dict[str, str] = {  # of what is not asked for here
    "test": "leave it out: what was trained is tested; evaluate.py tests a run again",
    "train": "leave it out: train.py trains; evaluate.py run=… tests without",
    "compile": "leave it out: there is nothing to compile",
}
BEFORE = ("optimizer", "data", "model", "trainer", "encoder", "decoder", "attention", "search", "task", "scheduler")
MOST = 2  # places named


def option(group: str, word: str, options: Iterable[str]) -> str:
    """What to choose in a group instead of a word that is no option of it."""
    known = OPTIONS.get(group, {}).get(word.lower().replace("-", "_"))
    return f"write {known}" if known else nearest(word.lower(), options)


def meant(name: str, names: Iterable[str]) -> str:
    """Which of the names of one place was meant."""
    names, known = list(names), SETTINGS.get(name)
    return f"did you mean {known}?" if known in names else nearest(name, names)


def optional(name: str, value: str) -> str | None:
    """What brings a setting along that the chosen option of its group does not have."""
    return f"write {OPTIONAL[name].replace('{}', value)}" if name in OPTIONAL else None


def elsewhere(config: DictConfig, name: str, value: str) -> str | None:
    """Where a setting stands that was named without its place, with what to write; None where nothing has it."""
    if name in NOTHING:
        return NOTHING[name]
    if name in INSTEAD:
        return f"write {INSTEAD[name].replace('{}', value)}"
    for wanted in (name, SETTINGS.get(name, name)):
        if wanted in config and wanted != name:
            return f"write {wanted}={value}"
        if found := places(config, wanted):
            return "write " + " or ".join(f"{place}={value}" for place in found[:MOST])
        if hint := optional(wanted, value):
            return hint
    return None


def places(config: DictConfig, name: str) -> Sequence[str]:
    """The parts that have a setting of this name, in the order of what is most often set."""
    found = [f"{part}.{name}" for part in parts(config) if name in names_at(config, part)]
    return sorted(found, key=lambda place: BEFORE.index(head) if (head := place.partition(".")[0]) in BEFORE else 99)


def parts(config: DictConfig) -> Iterator[str]:
    """The nodes at the root and what they are made of, each where it is written and not where it is referred to."""
    for name in map(str, config):
        if name != "hydra" and (node := node_at(config, name)) is not None:
            yield name
            yield from (f"{name}.{key}" for key in map(str, node) if _built(node, key))


def _built(node: DictConfig, key: str) -> bool:
    """Whether a node stands here that builds something, and not a reference to one."""
    if OmegaConf.is_interpolation(node, key) or OmegaConf.is_missing(node, key):
        return False
    return isinstance(inner := node[key], DictConfig) and "_target_" in inner
