"""Private parts of libraries that are used: each is listed, bounded, and looked at as the code needs it."""

import ast
import inspect
import re
from importlib import import_module
from importlib.metadata import distribution

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

# Where it is used, what it is, and how it has to look: the names of parameters that are passed, or none for a module.
PRIVATE = [
    ("cli", "hydra", "hydra._internal.hydra.Hydra.create_main_hydra2", {"task_name", "config_search_path"}),
    ("cli", "hydra", "hydra._internal.hydra.Hydra.compose_config", {"config_name", "overrides", "run_mode"}),
    ("cli", "hydra", "hydra._internal.hydra.Hydra.get_mode", set()),
    ("cli", "hydra", "hydra._internal.utils.get_args_parser", set()),
    ("cli", "hydra", "hydra._internal.utils.create_config_search_path", {"search_path_dir"}),
    ("cli", "hydra", "hydra._internal.config_repository.ConfigRepository.load_config", {"config_path"}),
    ("cli", "hydra", "hydra._internal.config_loader_impl.ConfigLoaderImpl", set()),
    ("cli", "hydra", "hydra._internal.core_plugins.basic_sweeper.BasicSweeper.split_arguments", {"overrides"}),
    ("cli", "torch", "torch.utils._python_dispatch.TorchDispatchMode", None),
    (
        "analysis metrics",
        "sacrebleu",
        "sacrebleu.metrics.BLEU._extract_corpus_statistics",
        {"references"},
    ),
    ("analysis metrics", "sacrebleu", "sacrebleu.metrics.BLEU._compute_score_from_stats", {"stats"}),
    ("analysis tasks", "sacrebleu", "sacrebleu.metrics.BLEU._preprocess_segment", {"sent"}),
    ("attention", "torch", "torch._assert_async", None),
    ("tasks", "torch", "torch._foreach_norm", None),
    ("tasks", "torch", "torch._foreach_mul_", None),
    ("kernels", "torch", "torch.ops.mkldnn._reorder_linear_weight", None),
    ("kernels models", "torch", "torch.ops.mkldnn._linear_pointwise", None),
    ("models", "torch", "torch.ops.aten._cudnn_rnn", None),
    ("environment", "torch", "torch._dynamo", None),
]
DISTRIBUTIONS = {"hydra": "hydra-core"}
DOTTED = re.compile(r"\b(?:hydra|omegaconf|torch|pytorch_lightning|lightning_fabric|torchmetrics|sacrebleu|wandb|"
                    r"optuna|scipy|numpy|spacy|tokenizers|matplotlib|rich|triton|jaxtyping|safetensors)"
                    r"(?:\.\w+)*?\._[a-z]\w*(?:\.\w+)*")  # fmt: skip
# Calls of one underscore on something that is not ours. NamedTuple's and the interpreter's are documented.
METHOD = re.compile(r"(?<!self)(?<!cls)(?<!other)\.(_[a-z]\w*)\(")
DOCUMENTED = {"_replace", "_asdict", "_make", "_exit", "_getframe"}


def sources(root):
    for path in sorted((root / "src" / "attnlab").rglob("*.py")):
        yield path.relative_to(root / "src" / "attnlab").with_suffix("").parts[0], path


def used(root):
    """(part of ours, dotted name or method) of everything private that the source names."""
    for part, path in sources(root):
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and "._" in f".{node.module}" and not node.level:
                yield from ((part, f"{node.module}.{alias.name}") for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level and not str(node.module).startswith("attnlab"):
                yield from ((part, f"{node.module}.{a.name}") for a in node.names
                            if re.match(r"_[a-z]", a.name) and node.module != "__future__")  # fmt: skip
            elif isinstance(node, ast.Attribute) and not isinstance(node.value, ast.Call):
                name = ast.unparse(node)
                if DOTTED.fullmatch(name):
                    yield part, name
        own = set(re.findall(r"def (_[a-z]\w*)\(", text))
        yield from ((part, name) for name in METHOD.findall(text) if name not in own | DOCUMENTED)


def test_every_use_of_something_private_is_listed(project_root):
    known = [(parts.split(), name) for parts, _, name, _ in PRIVATE]
    unknown = {
        f"{part}: {name}"
        for part, name in used(project_root)
        if not any(
            part in parts and (listed == name or listed.startswith(f"{name}.") or name.startswith(f"{listed}.")
                               or listed.endswith(f".{name}"))
            for parts, listed in known
        )
    }  # fmt: skip
    documented = {"watchdog: _current_frames"}  # of sys: in Python's own documentation, underscore and all
    assert unknown - documented == set(), "put it into PRIVATE, with what the code needs of it"


@pytest.mark.parametrize(("parts", "library", "name", "parameters"), PRIVATE)
def test_it_is_there_and_takes_what_is_passed(parts, library, name, parameters):
    thing = found(name)
    if parameters:
        assert parameters <= set(inspect.signature(thing).parameters)


def found(name):
    path = name.split(".")
    for cut in range(len(path), 0, -1):
        try:
            thing = import_module(".".join(path[:cut]))
        except ImportError:
            continue
        for part in path[cut:]:
            thing = getattr(thing, part)
        return thing
    raise AssertionError(f"there is no {name}")


@pytest.mark.parametrize("library", sorted({library for _, library, _, _ in PRIVATE}))
def test_a_library_whose_private_parts_are_used_has_an_upper_bound(library):
    name = DISTRIBUTIONS.get(library, library)
    (bound,) = (item.specifier for item in requirements() if item.name == name)
    assert any(part.operator in ("<", "<=", "~=") for part in bound), bound
    assert Version(distribution(name).version) in bound


@pytest.mark.parametrize(("name", "version"), [
    ("pytorch-lightning", "2.6.2"), ("pytorch-lightning", "2.6.3"),  # stole credentials when imported
    ("pytorch-lightning", "2.6.5"),  # CVE-2026-58659
    ("torch", "2.9.1"),  # CVE-2026-24747
    ("hydra-core", "1.3.5"),  # the list of refused targets could be passed by
    ("jinja2", "3.1.5"), ("filelock", "3.20.0"),
])  # fmt: skip
def test_known_bad_releases_are_refused(name, version):
    (bound,) = (item.specifier for item in requirements() if item.name == name)
    assert Version(version) not in bound


def test_the_tested_versions_are_within_the_bounds(project_root):
    tested = dict(
        re.findall(r"^([\w.-]+)==(\S+)$", (project_root / "constraints.txt").read_text("utf-8"), re.MULTILINE)
    )
    tested = {name.lower().replace("_", "-"): version for name, version in tested.items()}
    outside = [str(item) for item in requirements() if Version(tested[item.name.lower()]) not in item.specifier]
    assert outside == []


def requirements():
    import tomllib
    from pathlib import Path

    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
    return [Requirement(text) for text in project["dependencies"]]
