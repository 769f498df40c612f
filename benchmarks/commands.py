"""Whole commands, as their users run them: ``python train.py``, ``python -m joeynmt train``, ``onmt_train``.

    python benchmarks/commands.py [--steps 300] [--repeats 3] [--out file]

Multi30k English to German, joint BPE of 8,000, the model of the comparison with Luong's general attention and input
feeding, batches of 80 sentences, Adam, clipping at 1, fp32; no validation within the steps. Each system reads the text
its own way and makes its own batches: attnlab sorts pools of 50 batches by length, OpenNMT-py buckets of 262,144
sentences, JoeyNMT shuffles only. The pieces are cut once for all before the clock starts (attnlab's second run finds
its prepared data, too). Commands take turns. Shown: seconds from the start of the command to the end of the first
step and of the last one, and target tokens (end of sentence counted) a second between these two.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import yaml

sys.path.insert(0, str(Path(__file__).parent))
import measure
import multi30k

ROOT = Path(__file__).parents[1]
WORK = multi30k.ROOT / ".cache" / "commands"


class Seen(NamedTuple):
    """A run of a command."""

    first: float  #: seconds until the first step was reported
    last: float  #: until the last one
    tokens: float  #: target tokens a second between them


def main() -> None:
    options = arguments()
    WORK.mkdir(parents=True, exist_ok=True)
    write_pieces(options.steps)
    commands: dict[str, Callable[[int], Seen]] = {"attnlab": attnlab, "JoeyNMT": joeynmt, "OpenNMT-py": opennmt}
    wanted = {name: run for name, run in commands.items() if name in options.systems}
    if "attnlab" in wanted:
        attnlab(2)  # prepares the data
    found: dict[str, list[Seen]] = {name: [] for name in wanted}
    for _ in range(options.repeats):
        for name, run in wanted.items():
            found[name].append(run(options.steps))
            print(name, found[name][-1], flush=True)
    head = f"## Whole commands, {options.steps} steps, fp32"
    header = ("command", "first step after, s", "all steps after, s", "target tokens/s", "attnlab is … times faster")
    measure.report("\n\n".join([head, measure.machine(), ""]), options.out)
    measure.results(head, header, rows(found), options.out)


def rows(found: dict[str, list[Seen]]) -> list[tuple[measure.Cell, ...]]:
    ours = [run.tokens for run in found.get("attnlab", [])]
    lines = []
    for name, runs in found.items():
        values = [statistics.median(values) for values in zip(*runs, strict=True)]
        times = measure.ratio(ours, [run.tokens for run in runs]) if ours and name != "attnlab" else ""
        shown = (measure.Number(value, style) for value, style in zip(values, (".1f", ".1f", ",.0f"), strict=True))
        lines.append((name, *shown, times))
    return lines


def attnlab(steps: int) -> Seen:
    """``python train.py``, its reports of loss and speed included; the step times are those of a callback of ours."""
    overrides = [
        "dataset=multi30k", "tokenizer=bpe", "tokenizer.vocab_size=8000", "data.shared_vocabulary=true",
        "data.batch_size=80", "attention=luong_general", "decoder=luong_input_feeding", "model.embedding_dim=256",
        "encoder.hidden_dim=256", "decoder.hidden_dim=512", "model.dropout=0", "optimizer.lr=5e-4", "logger=csv",
        f"trainer.max_steps={steps}", "trainer.max_epochs=-1", "trainer.limit_val_batches=0", "scheduler=constant",
        "callbacks.early_stopping=null", "callbacks.samples=null", "callbacks.attention_maps=null",
        "callbacks.checkpoints=null", "+trainer.enable_checkpointing=false", "trainer.limit_test_batches=0",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent / "peers"), "ATTNLAB_ROOT": str(multi30k.ROOT)}
    clock = "+callbacks.clock={_target_: step_clock.StepClock}"
    return watch([sys.executable, str(ROOT / "train.py"), *overrides, clock], environment, steps, r"STEP (\d+) (\d+)")


def joeynmt(steps: int) -> Seen:
    config = WORK / "joeynmt.yaml"
    config.write_text(yaml.safe_dump(joeynmt_configuration(steps)), encoding="utf-8")
    command = [sys.executable, "-m", "joeynmt", "train", str(config), "--skip-test"]
    return watch(command, dict(os.environ), steps, r"Step:\s+(\d+).*Tokens per Sec:\s+(\d+)")


def opennmt(steps: int) -> Seen:
    config = WORK / "opennmt.yaml"
    config.write_text(yaml.safe_dump(opennmt_configuration(steps)), encoding="utf-8")
    command = [str(Path(sys.executable).with_name("onmt_train")), "-config", str(config)]
    return watch(command, dict(os.environ), steps, r"Step (\d+)/.*\s(\d+)/\s*(\d+) tok/s")


def watch(command: list[str], environment: dict[str, str], steps: int, pattern: str) -> Seen:
    """Run a command and read its own step reports; tokens are counted from its batches' real target tokens."""
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    seen: list[tuple[float, int, float]] = []
    output = []
    for line in process.stdout or ():
        output.append(line)
        if match := re.search(pattern, line):
            seen.append((time.perf_counter() - start, int(match[1]), float(match[match.lastindex or 2])))
    if process.wait() or not seen:
        raise SystemExit(f"{' '.join(command)}\n{''.join(output[-40:])}")
    first, last = seen[0], seen[-1]
    per_step = mean_target_tokens() * multi30k.SENTENCES
    rate = per_step * (last[1] - first[1]) / (last[0] - first[0]) if last[1] > first[1] else 0.0
    return Seen(first[0], last[0], rate)


def mean_target_tokens() -> float:
    """Target tokens of a training sentence, end of sentence counted."""
    lengths = multi30k.data()._data.ids("train")[1].lengths
    return float(lengths.mean()) + 1


def write_pieces(steps: int) -> None:
    """The pieces of attnlab's tokenizer as text for the peers, and the vocabulary."""
    data = multi30k.data()
    tokenizer = data.source_tokenizer
    names = tokenizer.tokens(range(len(tokenizer)))
    for split, stem in (("train", "train"), ("test", "dev")):
        for ids, side in zip(data._data.ids(split), ("en", "de"), strict=True):
            lines = (" ".join(names[number] for number in ids[row]) for row in range(len(ids)))
            (WORK / f"{stem}.{side}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (WORK / "vocabulary.txt").write_text("\n".join(names[4:]) + "\n", encoding="utf-8")


def joeynmt_configuration(steps: int) -> dict:
    side = {"max_length": 100, "lowercase": False, "level": "word", "voc_file": str(WORK / "vocabulary.txt")}
    embeddings = {"embedding_dim": 256, "scale": False, "dropout": 0.0}
    rnn = {"type": "recurrent", "rnn_type": "lstm", "num_layers": 1, "dropout": 0.0, "embeddings": embeddings}
    return {
        "name": "speed",
        "joeynmt_version": "2.3.0",
        "model_dir": str(WORK / "joeynmt_model"),
        "use_cuda": False,
        "fp16": False,
        "random_seed": 1,
        "data": {
            "train": str(WORK / "train"),
            "dev": str(WORK / "dev"),
            "dataset_type": "plain",
            "src": {"lang": "en", **side},
            "trg": {"lang": "de", **side},
        },
        "testing": {"n_best": 1, "beam_size": 1, "eval_metrics": [], "batch_size": 80, "max_output_length": 60},
        "training": {
            "optimizer": "adam",
            "learning_rate": 5e-4,
            "clip_grad_norm": 1.0,
            "batch_size": 80,
            "batch_type": "sentence",
            "normalization": "tokens",
            "scheduling": "exponential",
            "epochs": 100,
            "updates": steps,
            "validation_freq": 10**9,
            "logging_freq": 1 if steps < 10 else 10,
            "overwrite": True,
            "shuffle": True,
            "print_valid_sents": [],
            "early_stopping_metric": "ppl",
        },
        "model": {
            "initializer": "xavier_uniform",
            "encoder": {**rnn, "hidden_size": 256, "bidirectional": True},
            "decoder": {
                **rnn,
                "hidden_size": 512,
                "hidden_dropout": 0.0,
                "attention": "luong",
                "input_feeding": True,
                "init_hidden": "bridge",
            },
        },
    }


def opennmt_configuration(steps: int) -> dict:
    return {
        "save_data": str(WORK / "opennmt"),
        "src_vocab": str(WORK / "vocabulary.txt"),
        "tgt_vocab": str(WORK / "vocabulary.txt"),
        "share_vocab": True,
        "overwrite": True,
        "data": {"corpus_1": {"path_src": str(WORK / "train.en"), "path_tgt": str(WORK / "train.de")}},
        "save_model": str(WORK / "opennmt_model"),
        "save_checkpoint_steps": 10**6,
        "train_steps": steps,
        "valid_steps": 10**6,
        "report_every": 10,
        "encoder_type": "brnn",
        "decoder_type": "rnn",
        "rnn_type": "LSTM",
        "word_vec_size": 256,
        "hidden_size": 512,
        "layers": 1,
        "global_attention": "general",
        "input_feed": 1,
        "batch_size": 80,
        "batch_type": "sents",
        "optim": "adam",
        "learning_rate": 0.0005,
        "max_grad_norm": 1.0,
        "dropout": [0.0],
        "num_workers": 0,
    }


def arguments() -> argparse.Namespace:
    parser = measure.parser(__doc__)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--systems", nargs="+", default=["attnlab", "JoeyNMT", "OpenNMT-py"])
    return parser.parse_args()


if __name__ == "__main__":
    main()
