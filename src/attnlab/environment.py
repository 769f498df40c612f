"""What this process finds around it: cores; variables and modules, where a library can be told in no other way."""

import atexit
import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID")  # of a process that is one of several for a job


def first_process() -> bool:
    """Whether this process is the first, or the only one, of those that do one job together."""
    return all(os.environ.get(name, "0") == "0" for name in RANKS)


def clear_caches(package: str) -> None:
    """Empty the caches that functions and methods of a package have by ``functools``, as far as it is imported."""
    cached = type(lru_cache(len))
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        for item in list(vars(sys.modules[name]).values()):
            for value in (item, *(vars(item).values() if isinstance(item, type) else ())):
                if isinstance(value, cached):
                    value.cache_clear()


@contextmanager
def variable(name: str, value: str) -> Iterator[None]:
    """Set an environment variable for a while; then it is what it was, or absent again."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@contextmanager
def lean_imports() -> Iterator[None]:
    """For the first import of Lightning or torchmetrics: without what they import and rarely use, half of a start.

    torchmetrics imports scipy.signal for nothing but to put an old name, ``hamming``, back where another package once
    looked for it. Within the block a stand-in has that name; behind it scipy.signal is itself for whoever asks.
    Lightning imports torch's compiler; see ``LateCompiler``. And looking for garbage among modules, now or later,
    finds none.
    """
    collecting, before = gc.isenabled(), len(sys.modules)
    gc.disable()
    name = "scipy.signal"
    stands_in = name not in sys.modules and "torchmetrics" not in sys.modules
    if stands_in:
        stand_in = ModuleType(name, "not imported yet")
        stand_in.hamming = None  # type: ignore[attr-defined]
        sys.modules[name] = stand_in
    try:
        LateCompiler.install()
        yield
    finally:
        if stands_in:
            del sys.modules[name]
        if collecting:
            if len(sys.modules) > before:  # else there is only what a job before this one has left, files and memory
                gc.freeze()
                atexit.register(gc.unfreeze)  # modules are taken apart at the end as ever
            gc.enable()


class LateCompiler(ModuleType):
    """Stands for ``torch._dynamo``, torch's compiler, until it has something to do, and then makes way for it.

    Lightning imports it to know compiled modules when it sees one, and torch when the first optimizer is made, to keep
    the compiler out of it. Both are answered here: nothing has been compiled as long as the compiler is not there.
    """

    NAME = "torch._dynamo"

    @classmethod
    def install(cls) -> None:
        """Put it where the compiler would be, unless that is there."""
        import torch

        if cls.NAME not in sys.modules:
            spec = find_spec(cls.NAME)
            stand_in = cls(cls.NAME, "not imported yet")
            stand_in.__spec__ = spec
            sys.modules[cls.NAME] = torch._dynamo = stand_in

    @classmethod
    def there(cls) -> ModuleType | None:
        """The compiler, where it has been imported."""
        found = sys.modules.get(cls.NAME)
        return None if isinstance(found, cls) else found

    def __getattr__(self, name: str) -> Any:
        # Who goes through all modules asks each for the like of __file__. The machinery of imports asks for __path__ to
        # find a part of it; from elsewhere it is asked for whenever a name is imported, which may be one of ours.
        part = name == "__path__" and sys._getframe(1).f_globals.get("__name__") == "importlib._bootstrap"
        if name.startswith("__") and not part:
            raise AttributeError(f"module {self.NAME!r} has no attribute {name!r} before it is imported")
        return getattr(self.there() or self._imported(), name)

    def _imported(self) -> ModuleType:
        if sys.modules.get(self.NAME) is self:
            del sys.modules[self.NAME]
        return import_module(self.NAME)

    def disable(self, fn: Callable[..., Any], recursive: bool = True, **settings: Any) -> Callable[..., Any]:
        """Keep the compiler out of ``fn`` as soon as there is one."""
        disabled: list[Callable[..., Any]] = []

        def called(*args: Any, **kwargs: Any) -> Any:
            compiler = self.there()
            if compiler is None:
                return fn(*args, **kwargs)
            if not disabled:
                disabled.append(compiler.disable(fn, recursive, **settings))
            return disabled[0](*args, **kwargs)

        return called

    def graph_break(self, *_: Any, **__: Any) -> None:
        """Nothing, where nothing is being compiled."""

    class _Compiled(type):
        def __instancecheck__(cls, instance: object) -> bool:
            compiler = LateCompiler.there()
            return compiler is not None and isinstance(instance, compiler.OptimizedModule)

    class OptimizedModule(metaclass=_Compiled):
        """Whatever the compiler has made is one."""
