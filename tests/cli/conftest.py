"""Commands as a user calls them, and one small trained run that the tests of this folder share."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

DRAWN = ("callbacks.attention_maps.sentences=1", "callbacks.run_files.figures=1")
TINY = (  # nothing is drawn: that takes as long as all the rest
    "trainer=smoke", "logger=none", "dataset.train_size=200", "dataset.val_size=20", "dataset.test_size=20",
    "encoder.hidden_dim=8", "decoder.hidden_dim=16", "model.embedding_dim=8",
    "callbacks.attention_maps.sentences=0", "callbacks.run_files.figures=0",
)  # fmt: skip


class Commands:
    """Calls ``train.py`` and its like in another folder than the project's, with results going to one."""

    def __init__(self, root: Path, project: Path) -> None:
        self.root, self.project = root, project
        self.printed, self.told = "", ""  #: standard output and standard error of the last command
        self.environment = os.environ | {
            "ATTNLAB_ROOT": str(root), "ATTNLAB_CACHE": str(root / "cache"), "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        for name in ("HYDRA_FULL_ERROR", "WANDB_SERVICE"):  # the latter of a test of this process
            self.environment.pop(name, None)
        server = [sys.executable, str(Path(__file__).with_name("command_server.py"))]
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.server = subprocess.Popen(server, cwd=root, env=self.environment, **streams)

    def __call__(self, script, *arguments, text="", code=0, environment=None, cwd=None):
        """Run a command and return what it wrote to standard output, or to standard error if it is to fail."""
        with tempfile.TemporaryDirectory() as folder:
            files = {name: Path(folder, name) for name in ("stdin", "stdout", "stderr")}
            for file in files.values():
                file.touch()
            files["stdin"].write_bytes(text if isinstance(text, bytes) else text.encode())
            own, console = self.project / f"{script}.py", Path(__file__).with_name("console.py")
            called = [own] if own.is_file() else [console, script]
            request = {
                "command": [str(word) for word in (*called, *arguments)],
                "folder": str(cwd or self.root),
                "environment": self.environment | (environment or {}),
                **{name: str(file) for name, file in files.items()},
            }
            print(json.dumps(request), file=self.server.stdin, flush=True)
            answer = self.server.stdout.readline()
            assert answer, f"the command server has ended with {self.server.wait()}: see standard error"
            returned = int(answer)
            output, errors = (files[name].read_text("utf-8") for name in ("stdout", "stderr"))
        assert returned == code, f"exit code {returned}\n{output}\n{errors}"
        self.printed, self.told = output, errors
        if code:
            assert "Traceback" not in errors
            return errors
        return output

    def close(self) -> None:
        """Let the server go; it ends with its input."""
        self.server.stdin.close()
        self.server.wait()
        self.server.stdout.close()


@pytest.fixture(scope="session")
def commands(tmp_path_factory, project_root):
    commands = Commands(tmp_path_factory.mktemp("commands"), project_root)
    yield commands
    commands.close()


@pytest.fixture(scope="session")
def tiny():
    """Overrides for a run of seconds."""
    return TINY


@pytest.fixture(scope="session")
def run(commands):
    """The folder of a run of ``trainer=smoke``, started from a folder that is not the project's."""
    output = commands("train", *TINY, *DRAWN)
    folder = Path(output.split("files:")[1].strip())
    assert folder.is_relative_to(commands.root / "outputs" / "grammar" / "luong_general")
    return folder
