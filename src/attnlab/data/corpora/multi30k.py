"""Multi30k: image captions in English, German, French and Czech (Elliott et al. 2016; Barrault et al. 2018).

Source: the multi30k/dataset project on GitHub, task 1, raw (cased, untokenised) files, as published. For
non-commercial research and education only (terms of the Flickr30K images).

Splits: ``train`` (29,000 lines), ``val`` (1,014), ``test`` (the file test_2016_flickr, 1,000) and, where
their files are present, ``test_2017_flickr``, ``test_2017_mscoco`` and ``test_2018_flickr``. A training pair
that also stands in another split is left out: one of English-French, one of German-Czech.
"""

from contextlib import suppress
from pathlib import Path
from typing import Literal

from attnlab.data.download import Remote
from attnlab.data.public_pairs import PublicPairs
from attnlab.data.reading import Malformed, content_hash, find
from attnlab.data.splitting import Splits
from attnlab.ranges import PathText
from attnlab.types import DataError

Language = Literal["en", "de", "fr", "cs"]

_URL = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/"
_FILES = {"train": "train", "val": "val", "test": "test_2016_flickr"}
_FURTHER = ("test_2017_flickr", "test_2017_mscoco", "test_2018_flickr")
_SHA256 = {
    "train.en": "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f",
    "train.de": "726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6",
    "train.fr": "622e75069e9f4c577425c4f277116ce66e63a2401c0a2312d90073cb12379a3c",
    "train.cs": "a65adb8b32e3bc664f21ecba7a6e7f6950fd1f405e135f7c312faabdb6255077",
    "val.en": "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28",
    "val.de": "f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a",
    "val.fr": "ca3106f1a72390591d25f6c45cb4cd39dec4cd3f123e099748a3ce5256c160e9",
    "val.cs": "b63226e05c4bd5dd6a42897d74b86a1b9d2c31498252c572b1ea7f7996927fcc",
    "test_2016_flickr.en": "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9",
    "test_2016_flickr.de": "9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8",
    "test_2016_flickr.fr": "6d326e188d259fb1d04ac19eae3af956559b3a0b93d7635e56c90987c40c8b90",
    "test_2016_flickr.cs": "200a4a74cc9560f051924abb9803be008d1908d77f747e9141aeb86dfd2797f1",
}


class Multi30k(PublicPairs):
    """Any ordered pair of the four languages; the captions were translated from English.

    Args:
        root: data folder; the files are ``multi30k/<split>.<language>[.gz]`` in it.
        source_language: what is translated.
        target_language: what it is translated to.
        malformed: leave malformed lines out with a count, or stop at the first (see ``reading``).
        download: fetch missing files of train, val and test_2016_flickr.
    """

    name = folder = "multi30k"
    source = "https://github.com/multi30k/dataset (data/task1/raw)"

    def __init__(
        self,
        root: PathText,
        source_language: Language = "en",
        target_language: Language = "de",
        malformed: Malformed = "skip",
        download: bool = True,
    ) -> None:
        super().__init__(root, source_language, target_language, malformed, download)
        self.parts = {split: _FILES.get(split, split) for split in self._present()}
        self._splits = Splits(self.name, self.streams(), apart="pair")

    def remote(self, name: str) -> Remote | None:
        return Remote(f"{_URL}{name}.gz", f"sha256:{_SHA256[name]}") if name in _SHA256 else None

    def fingerprint(self) -> str:
        """Covers every split whose files are there or can be fetched; a test set alone will do."""
        files: dict[str, list[Path]] = {}
        for split, part in self.parts.items():
            with suppress(DataError):  # reading that split says what is missing
                files[split] = self.files(part)
        settings = {"corpus": self.name, "splits": list(files), "malformed": self._malformed}
        return content_hash(settings, [path for paths in files.values() for path in paths])

    def _present(self) -> tuple[str, ...]:
        present = (split for split in _FURTHER if all(find(self.place, f"{split}.{code}") for code in self.languages))
        return (*_FILES, *present)
