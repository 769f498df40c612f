"""What ``--help`` tells, at the width of a terminal."""

import re

import pytest

from attnlab.cli.config.helping import settings, usage, wrapped

TEXT = """Do a thing, and say at length what it is that is done, so that the line is longer than the screen.

  attnlab thing run=latest                                   what this does, at some length
  attnlab thing short    fits
{paragraph}"""


def test_examples_keep_their_lines_and_notes_without_room_stand_below():
    told = usage(TEXT.format(paragraph="\nAnd a last word.\n"), 60)
    assert told == (
        "Do a thing, and say at length what it is that is done, so\nthat the line is longer than the screen.\n\n"
        "  attnlab thing run=latest\n      what this does, at some length\n  attnlab thing short    fits\n\n"
        "And a last word.\n"
    )


def test_no_name_is_broken():
    text = wrapped("dataset: " + ", ".join(f"huggingface_labelled_{n}" for n in range(9)), 80)
    assert max(map(len, text.splitlines())) <= 80
    assert text.split() == ["dataset:", *(f"huggingface_labelled_{n}," for n in range(8)), "huggingface_labelled_8"]


@pytest.mark.parametrize("name", ["train", "compare", "evaluate", "translate", "predict", "align", "links", "export"])
def test_every_setting_of_a_command_is_listed(project_root, name):
    file = project_root / "conf" / f"{name}.yaml"
    keys = re.findall(r"^(\w+): \S", file.read_text("utf-8"), re.MULTILINE)
    told = settings(file, 80)
    assert [line.strip().partition("=")[0] for line in told.splitlines() if re.match(r"  \w", line)] == keys
    assert len(keys) > 2
