"""The checks that are not about behaviour: lint, format, types, and the one way that imports go."""

import ast
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


COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def confused(function):
    """Names that one comprehension of a function binds, and that are not of that function elsewhere in it."""
    bound, assigned, read = set(), {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}, set()

    def visit(node, within):
        if isinstance(node, COMPREHENSIONS):
            targets = [generator.target for generator in node.generators]
            within = within | {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
            bound.update(within)
        elif isinstance(node, ast.Name) and node.id not in within:
            (read if isinstance(node.ctx, ast.Load) else assigned).add(node.id)
        for child in ast.iter_child_nodes(node):
            visit(child, within)

    visit(function, frozenset())
    return bound & read - assigned


def test_no_comprehension_takes_a_name_of_the_module(project_root):
    """Python 3.12 runs comprehensions within their function, and 3.12.1 takes such a name for a variable of it."""
    wrong = ast.parse(
        "def line(x): return x\ndef f(a):\n    b = [line for line in a]\n    return {line(x) for x in b}\n"
    )
    assert confused(wrong.body[1]) == {"line"}
    found = []
    for path in sorted((project_root / "src").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        named = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        named |= {
            alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
        }
        functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
        found += [f"{path.name}: {item.name}: {name}" for item in functions for name in confused(item) & named]
    assert found == []
