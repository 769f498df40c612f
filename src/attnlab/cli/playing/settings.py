"""What can be said of a playground; without torch, so that a mistake is told at once."""

from typing import NamedTuple

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Settings(NamedTuple):
    """Which runs answer, whom, and how much they are asked at most."""

    checkpoints: tuple[str, ...] = ("best",)  #: of each run: best, last or a file
    host: str = LOOPBACK[0]
    port: int = 8421  #: 0 for any that is free
    beam: int = 5  #: as the page opens
    characters: int = 10_000  #: of a text
    tokens: int = 200  #: of a text that is read whole
    device: str = "auto"
    trust: tuple[str, ...] = ()  #: packages that runs may be built from

    @property
    def is_loopback(self) -> bool:
        """Whether this machine alone reaches it."""
        return self.host in LOOPBACK or self.host.startswith("127.")
