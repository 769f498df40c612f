"""The presets found in conf/attention, built as the configuration builds them."""

import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from composing import CONF, compose
from hydra.utils import instantiate
from omegaconf import OmegaConf

PRESETS = sorted(path.stem for path in (CONF / "attention").glob("*.yaml"))


@cache
def composed(preset: str, *overrides: str) -> Any:
    config = compose(f"attention={preset}", *overrides)
    return OmegaConf.create(OmegaConf.to_container(config.attention, resolve=True))


def factory(preset: str) -> Callable[..., Any]:
    """A preset with the settings of its reference, if it asks for some."""
    return instantiate(composed(preset, *getattr(reference_of(preset), "SETTINGS", [])))


def reference_of(preset: str) -> ModuleType | None:
    path = Path(__file__).parent / "references" / f"{preset}.py"
    if not path.exists():
        return None
    spec = importlib.util.spec_from_file_location(f"reference_{preset}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
