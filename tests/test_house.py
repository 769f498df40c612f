"""The checks that are not about behaviour: lint, format, types, and the one way that imports go."""

import subprocess
import sys

import pytest

CHECKS = {
    "ruff": ["-m", "ruff", "check", "."],
    "format": ["-m", "ruff", "format", "--check", "."],
    "mypy": ["-m", "mypy"],
    "imports": ["-c", "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"],
}


@pytest.mark.parametrize("check", CHECKS)
def test_is_clean(check, project_root):
    done = subprocess.run(
        [sys.executable, *CHECKS[check]], check=False, cwd=project_root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_is_long(project_root):
    counted = {path: len(path.read_text("utf-8").splitlines()) for path in (project_root / "src").rglob("*.py")}
    assert not {str(path): lines for path, lines in counted.items() if lines > 300}
