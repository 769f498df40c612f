"""What lies where: the laboratory's own configurations, and the project, the folder in which somebody works with it.

In a checkout both are the repository: ``conf/`` is there and results go there, wherever a command is typed. Of an
installed wheel ``conf/`` is a part, and the project is the current folder. In both, the current folder's own ``conf/``
and modules belong to the user who stands in it: they are found without being named.
"""

import os
import sys
from pathlib import Path

from attnlab.errors import ConfigError

CONF, RECORD = "conf", Path(".hydra", "config.yaml")
TRUST = Path("local", "trust.yaml")  # in conf/; not under version control
PACKAGE = Path(__file__).resolve().parents[1]
CHECKOUT = None if (PACKAGE / CONF).is_dir() else PACKAGE.parents[1]  #: None of a wheel, which has conf/ inside


def configuration() -> Path:
    """The laboratory's own folder ``conf``.

    Raises:
        ConfigError: neither a checkout nor a wheel has one.
    """
    folder = (CHECKOUT or PACKAGE) / CONF
    if not folder.is_dir():
        raise ConfigError(f"no folder {folder}: install attnlab anew, from a wheel or from its checkout")
    return folder


def home() -> Path:
    """Where results, prepared data and data go, unless ``ATTNLAB_ROOT`` says otherwise."""
    return CHECKOUT or current()


def current() -> Path:
    """The current folder.

    Raises:
        ConfigError: it has been removed.
    """
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise ConfigError("the current folder is not there any more: change to another one") from error


def is_own(folder: Path) -> bool:
    """Whether what lies in a folder is taken for the user's own work: it is no run folder and lies in none.

    A run may be somebody else's: what came along with it is neither imported nor composed.
    """
    return not any((place / RECORD).is_file() for place in (folder, *folder.parents))


def own_configuration() -> Path | None:
    """The folder ``conf`` of the current folder, if that is another one than the laboratory's."""
    folder = current() / CONF
    if not folder.is_dir() or folder.resolve() == configuration().resolve() or not is_own(current()):
        return None
    return folder


def trust_files() -> list[Path]:
    """Where packages may be listed that run folders may name: in the checkout, and in the user's own project."""
    homes = [*([CHECKOUT] if CHECKOUT is not None else []), *([current()] if is_own(current()) else [])]
    return [home / CONF / TRUST for home in dict.fromkeys(homes)]


def set_up(folder: Path | None = None) -> None:
    """Let results go home, and modules of the user's own be found: last, so that none stands in the way of another.

    Args:
        folder: the current one of the process that was started, for those that it starts elsewhere.
    """
    os.environ.setdefault("ATTNLAB_ROOT", str(home()))
    place = folder or current()
    if is_own(place) and str(place) not in sys.path:
        sys.path.append(str(place))
