"""The versions of libraries that the private parts are known of."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

#: The first version of each, by the name that it is installed by, of which nothing is known: pyproject.toml's bounds.
BELOW = {
    "hydra-core": (1, 4),
    "optuna": (3,),
    "pytorch-lightning": (3,),
    "sacrebleu": (3,),
    "torch": (3,),
    "torchmetrics": (2,),
    "wandb": (1,),
}


def is_known(library: str, version: str) -> bool:
    """Whether the library looks inside as the patches expect it; of another one nothing is patched."""
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("+")[0])[:2]) < BELOW[library]


@contextmanager
def parts_of(library: str, version: str) -> Iterator[None]:
    """Within, private parts are imported.

    Raises:
        ImportError: the library has one of them no more; with its version and the one to install.
    """
    try:
        yield
    except (ImportError, AttributeError) as error:
        bound = f"{library}<{'.'.join(map(str, BELOW[library]))}"
        raise ImportError(f"{library} {version} is not as attnlab needs it ({error}); install '{bound}'") from error
