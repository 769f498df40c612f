"""How far a multirun is, by made-up notes."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from attnlab.cli.multirun.attempt import BEFORE, DONE, RUNNING, Attempt, Note
from attnlab.cli.multirun.plan import Plan, plan_of
from attnlab.cli.multirun.progress import Progress, became, duration, remaining


def note(number, state=DONE, started=0.0, seconds=0.0):
    return Note(number, [f"seed={number}", "trainer=smoke"], state, "", started, seconds, "val/bleu", 31.2)


def test_one_after_the_other():
    done = [note(0, started=0, seconds=10), note(1, started=10, seconds=20)]
    assert remaining(done, 6, 30) == 4 * 15
    assert remaining([*done, note(2, RUNNING, started=30)], 6, 35) == 3 * 15 + 10
    assert remaining([*done, note(2, RUNNING, started=30)], 6, 100) == 3 * 15, "one that takes longer counts as done"
    assert remaining(done, 2, 30) is None, "nothing is left"


def test_several_at_a_time():
    notes = [note(n, started=0, seconds=10) for n in (0, 1)] + [note(n, RUNNING, started=10) for n in (2, 3)]
    assert remaining(notes, 8, 10) == (4 * 10 + 2 * 10) / 2


def test_nothing_is_said_of_what_is_not_known():
    assert remaining([], 6, 0) is None
    assert remaining([note(0, "failed: x", seconds=1), note(1, BEFORE)], 6, 1) is None, (
        "neither tells how long a job takes"
    )
    assert remaining([note(0, seconds=1)], None, 1) is None


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.2, "1 s"), (24.4, "24 s"), (89, "89 s"), (91, "2 minutes"), (720, "12 minutes"), (12600, "3.5 hours")],
)
def test_durations(seconds, told):
    assert duration(seconds) == told


def test_what_became_of_a_job():
    assert became(note(0, seconds=24)) == "val/bleu 31.2, 24 s"
    assert became(note(0, "failed: no file", seconds=3)) == "failed after 3 s"
    assert became(note(0, "interrupted by SIGTERM", seconds=3)) == "interrupted by SIGTERM after 3 s"
    assert became(note(0, BEFORE)) == "finished before, val/bleu 31.2"
    assert became(note(0, seconds=200)._replace(score=None)) == "finished, 3 minutes"


def test_a_line_a_job_each_once(tmp_path, capsys):
    attempt = Attempt(tmp_path, plan=Plan(3, ("seed",), elsewhere=True))
    progress = Progress(attempt)
    attempt.note(note(1, started=0, seconds=60))
    attempt.note(note(0, RUNNING, started=1e12))
    progress.end()
    assert capsys.readouterr().out == "[1 of 3] seed=1: val/bleu 31.2, 60 s; about 2 minutes left\n"
    attempt.note(note(0, seconds=60))
    attempt.note(note(2, BEFORE))
    progress.end()
    progress.end()
    assert capsys.readouterr().out.splitlines() == [
        "[2 of 3] seed=2: finished before, val/bleu 31.2", "[3 of 3] seed=0: val/bleu 31.2, 60 s",
    ]  # fmt: skip
    assert [item.number for item in attempt.close()] == [0, 1, 2]


def test_a_search_goes_on_counting(tmp_path, capsys):
    progress = Progress(Attempt(tmp_path, plan=Plan(20, ("optimizer.lr",), listed=False)), done=7)
    progress.begin(Note(0, ["optimizer.lr=0.002042480413459429"], RUNNING))
    assert capsys.readouterr().out == "\n[8 of 20] optimizer.lr=0.002042\n"
    progress.end()


BASIC = {"launcher": {"_target_": "hydra._internal.core_plugins.basic_launcher.BasicLauncher"}, "sweeper": {}}


@pytest.mark.parametrize(
    ("overrides", "sweeper", "plan"),
    [
        (["attention=none,luong_dot", "seed=range(1,4)", "trainer=smoke"], {}, Plan(6, ("attention", "seed"))),
        (["attention=none,luong_dot", "attention=none", "seed=choice(3)"], {}, Plan(1, ())),  # the last word holds
        (["+optimizer.eps=1e-8,1e-7"], {}, Plan(2, ("optimizer.eps",))),
        (["optimizer.lr=interval(0.1,1)"], {"n_trials": 20}, Plan(20, ("optimizer.lr",), listed=False)),
        (
            ["seed=1,2", "attention=none,luong_dot"],
            {"n_trials": 20, "sampler": {"_target_": "optuna.samplers.GridSampler"}},
            Plan(4, ("seed", "attention"), listed=False),
        ),
    ],
)
def test_what_is_going_to_be_run(overrides, sweeper, plan):
    parsed = OverridesParser.create().parse_overrides(overrides)
    assert plan_of(parsed, OmegaConf.create({"hydra": BASIC | {"sweeper": sweeper}})) == plan
