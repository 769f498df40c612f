"""Commands as a user calls them, and one small trained run that the tests of this folder share."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TINY = (
    "trainer=smoke", "logger=none", "dataset.train_size=200", "dataset.val_size=20", "dataset.test_size=20",
    "encoder.hidden_dim=8", "decoder.hidden_dim=16", "model.embedding_dim=8",
)  # fmt: skip


class Commands:
    """Calls ``train.py`` and its like in another folder, with results going there."""

    def __init__(self, root: Path, project: Path) -> None:
        self.root, self.project = root, project
        self.environment = os.environ | {
            "ATTNLAB_ROOT": str(root), "ATTNLAB_CACHE": str(root / "cache"), "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        self.environment.pop("HYDRA_FULL_ERROR", None)

    def __call__(self, script, *arguments, text="", code=0, environment=None):
        """Run a command and return what it wrote to standard output, or to standard error if it is to fail."""
        done = subprocess.run(
            [sys.executable, str(self.project / f"{script}.py"), *map(str, arguments)],
            input=text if isinstance(text, bytes) else text.encode(),
            capture_output=True,
            check=False,
            cwd=self.root,
            env=self.environment | (environment or {}),
            timeout=300,
        )
        output, errors = done.stdout.decode(), done.stderr.decode()
        assert done.returncode == code, f"exit code {done.returncode}\n{output}\n{errors}"
        if code:
            assert "Traceback" not in errors
            return errors
        return output


@pytest.fixture(scope="session")
def commands(tmp_path_factory, project_root):
    return Commands(tmp_path_factory.mktemp("commands"), project_root)


@pytest.fixture(scope="session")
def tiny():
    """Overrides for a run of seconds."""
    return TINY


@pytest.fixture(scope="session")
def run(commands):
    """The folder of a run of ``trainer=smoke``, started from a folder that is not the project's."""
    output = commands("train", *TINY)
    folder = Path(output.split("files:")[1].strip())
    assert folder.is_relative_to(commands.root / "outputs" / "grammar" / "luong_general")
    return folder
