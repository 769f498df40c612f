"""Modules that Lightning and torchmetrics import and rarely use: a stand-in keeps their place until they are wanted.

* ``scipy.signal``: torchmetrics imports it for nothing but to put an old name, ``hamming``, back where another package
  once looked for it. Behind the block it is itself for whoever asks. 1.8 s of a first step that takes 9.3.
* ``torch._dynamo``, torch's compiler, 800 modules: see :class:`LateCompiler`. 2.0 s of it.

No search for garbage goes through what has been imported, now or later (there is none): 1.5 s of it, by ``gc`` alone.
Each was taken away by itself: ``benchmarks/startup.py --one-by-one``, benchmarks/results/startup.md. Public means do
not do: ``importlib.util.LazyLoader`` gives way at once, for both are asked for a name by those who import them, and
torch's own switches (``TORCH_COMPILE_DISABLE``) leave the compiler imported.
"""

import atexit
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from attnlab.private.versions import is_known


@contextmanager
def lean_imports() -> Iterator[None]:
    """For the first import of Lightning or torchmetrics, wherever it happens; within, garbage is not looked for."""
    collecting, before = gc.isenabled(), len(sys.modules)
    gc.disable()
    name = "scipy.signal"
    stands_in = not {name, "torchmetrics"} & sys.modules.keys() and is_known("torchmetrics", _torchmetrics())
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
        if len(sys.modules) > before:  # else there is only what a job before this one has left, files and memory
            gc.freeze()
            atexit.register(gc.unfreeze)  # modules are taken apart at the end as ever
        if collecting:
            gc.enable()


def _torchmetrics() -> str:
    """Its version, before it is imported."""
    from importlib.metadata import version

    return version("torchmetrics")


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

        if cls.NAME not in sys.modules and is_known("torch", torch.__version__):
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
