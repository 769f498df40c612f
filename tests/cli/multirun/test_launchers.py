"""The launchers give what one job after the other gives; each is run for real.

SLURM itself is not here. Its launcher is submitit's, as is ``submitit_local``, which runs the jobs in processes of
their own through the same files. The commands of SLURM are scripts that run the jobs here and keep what they are told.
"""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from multirun_files import by_seed, measured

from attnlab.cli.multirun import side_by_side
from attnlab.environment import cores

FAILS = """
import torch
from pytorch_lightning.callbacks import Callback
from attnlab.types import ConfigError

class Fails(Callback):
    def setup(self, trainer, pl_module, stage) -> None:
        if torch.initial_seed() == 3:
            raise ConfigError("this job is to fail")
"""
JOBS = ("seed=1,2,3", "+callbacks.fails._target_=module_that_fails.Fails")


@pytest.fixture(scope="module")
def one_by_one(commands, tiny):
    """The third job fails, in the process that it runs in: by a module of the current folder."""
    (commands.root / "module_that_fails.py").write_text(FAILS, "utf-8")
    commands("train", "-m", *JOBS, "sweep_name=basic", *tiny, code=1)
    return {seed: measured(job) for seed, job in by_seed(commands.root / "sweeps" / "basic" / "latest").items()}


# A folder that is there before the jobs are: submitit's local executor makes one by the number of a job (its default,
# %j) only after it has started that job, which may already want to write there.
FOLDER = "hydra.launcher.submitit_folder=${hydra.sweep.dir}/.submitit"


@pytest.mark.parametrize(
    "launcher",
    [("side_by_side", "hydra.launcher.n_jobs=2"), pytest.param(("submitit_local", FOLDER), marks=pytest.mark.long)],
    ids=lambda launcher: launcher[0],
)
def test_jobs_in_other_processes(launcher, commands, tiny, one_by_one):
    name, setting = launcher
    where = (f"sweep_name={name}", f"hydra/launcher={name}", setting)
    told = commands("train", "-m", *JOBS, *where, *tiny, code=1)
    failure, to_go_on = told.split("1 job failed:\n")[1].splitlines()
    assert failure == "  seed=3: this job is to fail"
    sweep = commands.root / "sweeps" / name / "latest"
    assert to_go_on == f"to go on: python train.py -m resume={sweep.resolve()}"
    ended = [line for line in commands.printed.splitlines() if re.match(r"\[\d of 3\] seed=\d: ", line)]
    assert [line[:8] for line in ended] == ["[1 of 3]", "[2 of 3]", "[3 of 3]"]
    assert sum(bool(re.search(r"seed=[12]: val/bleu [\d.]+, \d+ s", line)) for line in ended) == 2
    assert sum("seed=3: failed after" in line for line in ended) == 1
    for job in sweep.glob("seed-*"):  # each has its own lines
        log = (job / "train.log").read_text("utf-8")
        assert "seed-3-" in job.name or ("epoch 1/" in log and "perplexity" in log)
    (failed,) = sweep.glob("seed-3-*")
    assert "this job is to fail" in (failed / "train.log").read_text("utf-8")
    assert json.loads((failed / "failed.json").read_text("utf-8"))["message"] == "this job is to fail"
    jobs = by_seed(sweep)
    assert set(jobs) == {1, 2}
    assert {seed: measured(job) for seed, job in jobs.items()} == one_by_one
    if name == "side_by_side":  # the lines of jobs come mixed: each says whose it is
        for seed in (1, 2):
            lines = [line for line in commands.printed.splitlines() if line.startswith(f"seed={seed} | ")]
            assert not any("│" in line or "┃" in line for line in lines), "a table behind a label, wider than a screen"
            assert any(line.startswith(f"seed={seed} | epoch 1/") for line in lines)
    assert not list(sweep.glob(".attempt-*")), "notes of failures are for the moment"


@pytest.mark.long
def test_joblib_divides_the_threads():
    """joblib gives each process its part of the cores, unless the user has set OMP_NUM_THREADS."""
    code = (
        "import torch; from joblib import Parallel, delayed;"
        "print(*Parallel(n_jobs=2, backend='loky')(delayed(torch.get_num_threads)() for _ in range(2)))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.endswith("NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == [str(max(cores() // 2, 1))] * 2


def test_jobs_share_a_gpu(monkeypatch, tmp_path):
    monkeypatch.setattr(side_by_side, "visible", lambda: ["0", "3"])
    assert side_by_side.jobs_at_a_time(4) == 8
    monkeypatch.setenv("CUDA_MPS_PIPE_DIRECTORY", str(tmp_path))
    assert "take turns" in side_by_side.told_of_sharing(4)
    (tmp_path / "control").touch()  # the multi-process service is there
    assert side_by_side.told_of_sharing(4) is None
    assert side_by_side.told_of_sharing(1) is None
    monkeypatch.setattr(side_by_side, "visible", list)
    assert side_by_side.jobs_at_a_time(4) == min(cores(), 8)
    assert "there is no GPU" in side_by_side.told_of_sharing(4)


def test_jobs_that_share_a_gpu_run_side_by_side(commands, tiny):
    told = commands("train", "-m", "seed=1,2", "jobs_per_gpu=2", *tiny, code=2)
    assert "jobs_per_gpu=2 with hydra/launcher=basic" in told


TAKE = """
import os, sys
from pathlib import Path
from attnlab.cli.multirun import side_by_side
side_by_side.visible = lambda: ["0", "3"]
print(side_by_side.take_one(Path(sys.argv[1])), os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
sys.stdin.read()
"""


def test_processes_share_out_the_gpus(tmp_path):
    def start():
        process = subprocess.Popen(
            [sys.executable, "-c", TAKE, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return process, process.stdout.readline().split()

    first, took = start()
    assert took == ["0", "0"]
    second, took = start()
    assert took == ["3", "3"]
    third, took = start()  # more processes than GPUs
    assert took == ["0", "0"]
    second.kill()  # as it comes, the GPU is free again
    second.wait()
    fourth, took = start()
    assert took == ["3", "3"]
    for process in (first, second, third, fourth):
        process.kill()
        process.communicate()


@pytest.mark.long
def test_jobs_end_with_a_multirun_that_is_killed(project_root, tmp_path, tiny):
    """All of it is gone soon, so that nothing runs beside the multirun that is started again."""
    command = [sys.executable, project_root / "train.py", "-m", "seed=1,2", "hydra/launcher=side_by_side", *tiny,
               "hydra.launcher.n_jobs=2", "trainer.max_epochs=1000", "callbacks.early_stopping=null"]  # fmt: skip
    environment = os.environ | {"ATTNLAB_ROOT": str(tmp_path), "OMP_NUM_THREADS": "1"}
    at_work = set()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            for line in process.stdout:
                at_work |= {seed for seed in (1, 2) if line.startswith(f"seed={seed} | epoch 1/")}
                if len(at_work) == 2:
                    break
            process.kill()
            process.communicate(timeout=30)  # until every process that could write there has ended
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert len(at_work) == 2


@pytest.mark.long
def test_jobs_of_several_processes_are_not_for_joblib(commands, tiny):
    told = commands("train", "-m", "seed=1", "hydra/launcher=side_by_side", *tiny, "trainer=ddp_cpu", code=1)
    assert "trainer.devices=2 with hydra/launcher=side_by_side" in told
    assert "job 1 | Error: trainer.devices=2" in told  # on the error stream, too, it is said whose line it is


FAKE = {
    "sbatch": """#!/bin/bash
cp "$1" {folder}/script.sh
{folder}/node < /dev/null > {folder}/node.log 2>&1 &
echo "Submitted batch job 7"
""",
    "node": """#!/bin/bash
# What a node of the cluster does with the tasks of the array.
export SLURM_ARRAY_JOB_ID=7 SLURM_NTASKS=1 SLURM_JOB_NUM_NODES=1 SLURM_NODEID=0 SLURM_PROCID=0 SLURM_LOCALID=0
export SLURM_JOB_NODELIST=localhost SLURM_JOB_NAME=train
for task in 0 1; do
    touch {folder}/7_$task.waits
    while [[ -f {folder}/7_$task.waits ]]; do
        rm {folder}/7_$task.waits
        SLURM_JOB_ID=7_$task SLURM_ARRAY_TASK_ID=$task bash {folder}/script.sh
    done
    touch {folder}/$task.done
done
""",
    "srun": """#!/bin/bash
while [[ "$1" == -* ]]; do
    [[ "$1" == --output || "$1" == --error ]] && shift
    shift
done
exec "$@"
""",
    "scontrol": """#!/bin/bash
echo "$@" >> {folder}/scontrol.log
[[ "$1" == requeue ]] && touch "{folder}/$2.waits"
""",
    "sacct": """#!/bin/bash
echo "JobID|State|NodeList"
for task in 0 1; do
    [[ -f {folder}/$task.done ]] && state=COMPLETED || state=RUNNING
    echo "7_$task|$state|localhost"
done
""",
}


@pytest.fixture
def cluster(tmp_path):
    """The variables with which the commands of SLURM are found: scripts that run the jobs here."""
    for name, text in FAKE.items():
        (tmp_path / name).write_text(text.replace("{folder}", str(tmp_path)), "utf-8")
        (tmp_path / name).chmod(0o755)
    return {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(Path(__file__).parents[1])}


@pytest.mark.long
def test_slurm(commands, tiny, one_by_one, cluster, tmp_path):
    """The cluster is a script here; everything on this side of it is real."""
    commands(
        "train", "-m", "seed=1,2", "sweep_name=slurm", "hydra/launcher=slurm", "hydra.launcher.partition=long", *tiny,
        environment=cluster,
    )  # fmt: skip
    jobs = by_seed(commands.root / "sweeps" / "slurm" / "latest")
    assert {seed: measured(job) for seed, job in jobs.items()} == one_by_one
    asked = [line for line in (tmp_path / "script.sh").read_text("utf-8").splitlines() if line.startswith("#SBATCH")]
    for option in ("--array=0-1%", "--partition=long", "--gpus-per-node=1", "--cpus-per-task=4", "--signal=USR2@"):
        assert any(option in line for line in asked), option


@pytest.mark.long
def test_a_job_whose_time_is_up_is_put_in_line_again_once(commands, tiny, one_by_one, cluster, tmp_path):
    """SLURM sends the signal that submitit asks it for; who answers it saves first, and submitit puts it in line."""
    sender = f"+callbacks.send={{_target_:sender.Send,name:SIGUSR2,hook:on_train_batch_start,once:'{tmp_path}/sent'}}"
    commands(
        "train", "-m", "seed=1,2", "sweep_name=timeout", "hydra/launcher=slurm", sender, *tiny, environment=cluster
    )
    assert (tmp_path / "scontrol.log").read_text("utf-8") == "requeue 7_0\n"
    sweep = commands.root / "sweeps" / "timeout" / "latest"
    assert {seed: measured(job) for seed, job in by_seed(sweep).items()} == one_by_one
    logs = "".join(path.read_text("utf-8") for path in sweep.glob("*/train.log"))
    assert logs.count("goes on from its last checkpoint") == 1
