"""``translate.py`` on a trained run."""

import json
import shutil
import subprocess
import sys
from io import BufferedReader, BytesIO

import pytest
from omegaconf import OmegaConf

from attnlab.cli.lines import chunks, sentences
from attnlab.cli.translating import ask_for
from attnlab.types import ConfigError, DataError

TEXT = "the dog sleeps .\n\n  \nan old house stands in the garden .\nyes\n"


@pytest.fixture(scope="module")
def translated(commands, run):
    return commands("translate", f"run={run}", text=TEXT)


def test_one_line_a_line_and_empty_ones_stay_empty(translated):
    lines = translated.splitlines()
    assert [bool(line) for line in lines] == [True, False, False, True, True]


def test_the_chunk_does_not_matter_and_only_the_run_folder_is_needed(commands, run, translated, tmp_path):
    copy = tmp_path / "elsewhere"
    shutil.copytree(run, copy)
    missing = {"ATTNLAB_CACHE": str(tmp_path / "none"), "ATTNLAB_DATA": str(tmp_path / "none")}
    assert commands("translate", f"run={copy}", "chunk=1", text=TEXT, environment=missing) == translated


def test_json_with_several_translations_and_pictures(commands, run, tmp_path):
    output = commands(
        "translate", f"run={run}", "search=beam", "nbest=3", "format=json", f"plot={tmp_path / 'pictures'}", text=TEXT
    )
    found = [json.loads(line) for line in output.splitlines()]
    assert [item["line"] for item in found] == [1, 2, 3, 4, 5]
    assert [len(item["translations"]) for item in found] == [3, 0, 0, 3, 3]
    for item in found[0]["translations"]:
        assert len(item["alignment"]) == len(item["tokens"])
        assert item["source_tokens"] == ["the", "dog", "sleeps", "."]
        assert all(abs(sum(row) - 1) < 1e-3 for row in item["weights"])
    scores = [item["score"] for item in found[3]["translations"]]
    assert scores == sorted(scores, reverse=True)
    pictures = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert pictures == ["1.png", "4.png", "5.png"]


def test_files_in_and_out(commands, run, translated, tmp_path):
    source, target = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_text(TEXT, "utf-8")
    assert commands("translate", f"run={run}", f"input={source}", f"output={target}") == ""
    assert target.read_text("utf-8") == translated


def test_what_is_wrong_is_told(commands, run):
    told = commands("translate", f"run={run}", "format=xml", "nbest=two", code=2)
    assert "expected one of text, json" in told
    assert "nbest: came 'two'" in told
    assert "line 2: invalid UTF-8" in commands("translate", f"run={run}", text=b"yes\nn\xff\n", code=2)


def test_several_translations_take_a_search_that_finds_them():
    beam = OmegaConf.create({"search": {"beam": 2, "n_best": 1}})
    ask_for(beam, 3)
    assert beam.search == {"beam": 3, "n_best": 3}
    ask_for(beam, 2)
    assert beam.search == {"beam": 3, "n_best": 2}
    sampling = OmegaConf.create({"search": {"samples": 1}})
    ask_for(sampling, 4)
    assert sampling.search == {"samples": 4}
    with pytest.raises(ConfigError, match="add search=beam"):
        ask_for(OmegaConf.create({"search": {"max_length": 3}}), 2)


@pytest.mark.long
def test_a_reader_that_stops_early_is_told_nothing(commands, run):
    translate = f"{sys.executable} {commands.project}/translate.py run={run} chunk=4"
    done = subprocess.run(
        ["bash", "-c", f"(yes 'the dog sleeps .' | head -2000 | {translate}; echo code $? >&2) | head -1"],
        capture_output=True, check=False, cwd=commands.root, env=commands.environment, timeout=300,
    )  # fmt: skip
    assert done.stderr.decode().splitlines()[-1] == "code 141"  # 128 + SIGPIPE, as every filter has it
    assert "Traceback" not in done.stderr.decode()
    assert len(done.stdout.splitlines()) == 1


def test_lines_before_a_broken_one_are_handed_on():
    raw = [b"one\n", b"two \xc2\xa0\n", b"three\n", b"\xff\n", b"five\n"]
    found = chunks(sentences(BufferedReader(BytesIO(b"".join(raw))), "here"), 2)
    assert next(found) == [(1, "one", ""), (2, "two", "")]
    assert next(found) == [(3, "three", "")]
    with pytest.raises(DataError, match="here, line 4: invalid UTF-8"):
        next(found)


def test_every_line_has_its_lines_whatever_stands_in_it(commands, run):
    """Three lines for each of four, one empty, one invisible, one too long; the long one is named."""
    text = "the dog sleeps .\n\n\u200b\n" + "the " * 30 + "\n"
    output = commands("translate", f"run={run}", "search=beam", "nbest=3", "max_source_length=20", text=text)
    lines = output.split("\n")[:-1]
    assert [bool(line) for line in lines] == [True] * 3 + [False] * 9


def test_a_pipe_is_answered_line_by_line(commands, run):
    """chunk=1: the first answer comes while the second line has not been sent."""
    command = [sys.executable, f"{commands.project}/translate.py", f"run={run}", "chunk=1", "input=/dev/stdin"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=commands.root, env=commands.environment, **pipes) as process:
        for line in ("the dog sleeps .", "yes"):
            print(line, file=process.stdin, flush=True)
            assert process.stdout.readline().strip()
        process.stdin.close()
        assert process.stdout.read() == ""
    assert process.returncode == 0


@pytest.mark.long
def test_the_input_is_not_overwritten_and_a_full_disk_is_told(commands, run, tmp_path):
    source = tmp_path / "in.txt"
    source.write_text(TEXT, "utf-8")
    told = commands("translate", f"run={run}", f"input={source}", f"output={source}", code=2)
    assert "this is the file that is read" in told
    assert source.read_text("utf-8") == TEXT
    command = f"{sys.executable} {commands.project}/translate.py run={run} input={source} > /dev/full"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, check=False, cwd=commands.root, env=commands.environment
    )
    assert done.returncode == 2
    assert done.stderr.decode() == "Error: standard output: cannot be written (No space left on device)\n"


def test_a_file_of_the_run_is_never_replaced(commands, run):
    best = run / "checkpoints" / "best.ckpt"
    before = best.read_bytes()
    told = commands("translate", f"run={run}", f"output={best}", text="the dog sleeps .\n", code=2)
    assert f"output={best}: this is a file of the run" in told
    assert best.read_bytes() == before
