"""Private parts of libraries that are used: each is listed, bounded, and looked at as the code needs it."""

import ast
import inspect
import re
import sys
from importlib.metadata import distribution

import pytest
from hydra.core.utils import JobReturn
from packaging.requirements import Requirement
from packaging.version import Version
from pytorch_lightning import Trainer
from read_source import DOCUMENTED, UNDERSCORED, found_of, modules

from attnlab.private import hydra, lean_imports, lightning
from attnlab.private.versions import BELOW, is_known, parts_of

# The module of ours that uses it, what it is, and how it has to look: the names of parameters that are passed.
PRIVATE = [
    ("hydra", "hydra._internal.hydra.Hydra.create_main_hydra2", {"task_name", "config_search_path"}),
    ("hydra", "hydra._internal.hydra.Hydra.compose_config", {
        "config_name", "overrides", "run_mode", "with_log_configuration", "validate_sweep_overrides"}),
    ("hydra", "hydra._internal.hydra.Hydra.run", {"config_name", "task_function", "overrides"}),
    ("hydra", "hydra._internal.utils.get_args_parser", set()),
    ("hydra", "hydra._internal.utils.create_config_search_path", {"search_path_dir"}),
    ("hydra", "hydra._internal.config_repository.ConfigRepository.load_config", {"config_path"}),
    ("hydra", "hydra._internal.config_loader_impl.ConfigLoaderImpl", set()),
    ("hydra", "hydra._internal.core_plugins.basic_sweeper.BasicSweeper.split_arguments", {"overrides"}),
    ("hydra", "hydra.core.utils.JobReturn._return_value", set()),
    ("hydra", "hydra.core.plugins.Plugins.is_in_toplevel_plugins_module", set()),
    ("hydra", "argparse.ArgumentParser()._actions", set()),
    ("interpreter", "threading._shutdown", set()),
    ("interpreter", "atexit._run_exitfuncs", set()),
    ("lean_imports", "torch._dynamo", set()),
    ("lightning", "pytorch_lightning.loops.fit_loop._FitLoop", set()),
    ("lightning", "pytorch_lightning.loops.loop._Loop.restarting.fset", {"restarting"}),
    ("lightning", "pytorch_lightning.loops.loop._Loop._restarting", set()),
    ("optuna", "optuna.trial.FrozenTrial._trial_id", set()),
    ("sacrebleu", "sacrebleu.metrics.BLEU._extract_corpus_statistics", {"references"}),
    ("sacrebleu", "sacrebleu.metrics.BLEU._compute_score_from_stats", {"stats"}),
    ("sacrebleu", "sacrebleu.metrics.BLEU._aggregate_and_compute", {"stats"}),
    ("sacrebleu", "sacrebleu.metrics.BLEU._preprocess_segment", {"sent"}),
    ("torch", "torch.utils._python_dispatch.TorchDispatchMode", set()),
    ("torch", "torch._C._functorch.is_batchedtensor", set()),
    ("torch", "torch._assert_async", set()),
    ("torch", "torch.nn.Module()._forward_hooks", set()),
    ("torch", "torch.nn.Module()._forward_pre_hooks", set()),
    ("torch", "torch._foreach_norm", set()),
    ("torch", "torch._foreach_mul_", set()),
    ("torch", "torch.ops.mkldnn._reorder_linear_weight", set()),
    ("torch", "torch.ops.mkldnn._linear_pointwise", set()),
    ("torch", "torch.ops.mkldnn._linear_pointwise.binary", set()),
    ("torch", "torch.ops.aten._cudnn_rnn", set()),
    ("torchmetrics", "torchmetrics.MeanMetric()._update_count", set()),
    ("wandb", "pytorch_lightning.loggers.WandbLogger()._wandb_init", set()),
    ("wandb", "pytorch_lightning.loggers.WandbLogger()._experiment", set()),
    ("wandb", "pytorch_lightning.loggers.WandbLogger()._id", set()),
    ("wandb", "wandb.Run._log_artifact", {"aliases", "is_user_created", "use_after_commit"}),
    ("wandb", "wandb.run", set()),
    ("wandb", "wandb.sdk.lib.service.service_token.WandbServiceConnectionError", set()),
]  # fmt: skip
# Read by a library of what we set there: its source is asked for the name.
READ_BY = [
    ("torch", "lightning_fabric.plugins.precision.amp._optimizer_handles_unscaling", "_step_supports_amp_scaling"),
    ("torch", "torch.optim.lr_scheduler.LRScheduler", "_last_lr"),
]
ALONE = {"ray"}  # extras for an environment of their own, without constraints.txt
DISTRIBUTIONS = {
    "hydra": "hydra-core", "lean_imports": "torch", "lightning": "pytorch-lightning", "optuna": "optuna",
    "sacrebleu": "sacrebleu", "torch": "torch", "torchmetrics": "torchmetrics", "wandb": "wandb",
}  # fmt: skip


def test_everything_private_that_is_used_is_listed():
    listed = {(part, word) for part, name, _ in PRIVATE for word in re.split(r"[.()]+", name)}
    listed |= {(part, name) for part, _, name in READ_BY}
    used = {(module.rpartition(".")[2], name) for module, tree in modules(fence=True).items() for name in words(tree)}
    own = {(module.rpartition(".")[2], node.name) for module, tree in modules(fence=True).items()
           for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}  # fmt: skip
    assert used - listed - own == set(), "put it into PRIVATE, with what the code needs of it"


def words(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield from filter(UNDERSCORED.fullmatch, {node.attr} - DOCUMENTED)
        elif isinstance(node, ast.ImportFrom) and node.module.partition(".")[0] != "attnlab":
            names = [*node.module.split("."), *(alias.name for alias in node.names)]
            yield from filter(UNDERSCORED.fullmatch, names)


@pytest.mark.parametrize(("part", "name", "parameters"), PRIVATE)
def test_it_is_there_and_takes_what_is_passed(part, name, parameters):
    thing = found_of(name)
    if parameters:
        assert parameters <= set(inspect.signature(thing).parameters)


@pytest.mark.parametrize(("part", "reader", "name"), READ_BY)
def test_a_library_reads_what_is_set_there(part, reader, name):
    assert name in inspect.getsource(found_of(reader))


def test_a_library_whose_private_parts_are_used_has_an_upper_bound_which_is_known():
    bounds = {item.name: item.specifier for item in requirements()}
    for library in {DISTRIBUTIONS[part] for part, *_ in PRIVATE if part != "interpreter"}:  # Python's: requires-python
        first_unknown = ".".join(map(str, BELOW[library]))
        assert f"<{first_unknown}" in {str(part) for part in bounds[library]}
        assert Version(distribution(library).version) in bounds[library]
        assert is_known(library, distribution(library).version)
        assert not is_known(library, first_unknown)
        assert not is_known(library, f"{first_unknown}.0rc1")


def test_a_part_that_is_there_no_more_is_told_with_the_version_to_take():
    wanted = (
        r"hydra-core 1\.4\.0 is not as attnlab needs it \(.*name 'gone'.*\); "
        r"install 'hydra-core<1\.4'"
    )
    with pytest.raises(ImportError, match=wanted), parts_of("hydra-core", "1.4.0"):
        from json import gone  # noqa: F401


def test_a_library_that_is_not_known_is_not_patched(monkeypatch):
    monkeypatch.setattr("attnlab.private.versions.BELOW", dict.fromkeys(BELOW, (0,)))
    returned = JobReturn()
    hydra.raise_quietly(returned)
    assert type(returned) is JobReturn
    trainer = Trainer(logger=False, barebones=True)
    lightning.mend(trainer)
    assert type(trainer.fit_loop) is lightning._FitLoop
    for name in ("scipy.signal", "torchmetrics", "torch._dynamo"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with lean_imports.lean_imports():
        assert not {"scipy.signal", "torch._dynamo"} & sys.modules.keys()


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
    outside = [
        str(item) for item in requirements() if item.name.lower() in tested
        and Version(tested[item.name.lower()]) not in item.specifier
    ]  # fmt: skip
    assert outside == []


def requirements():
    """Those of the package and of its extras."""
    import tomllib
    from pathlib import Path

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [text for name, texts in project["optional-dependencies"].items() for text in texts if name not in ALONE]
    return [Requirement(text) for text in [*project["dependencies"], *extras]]
