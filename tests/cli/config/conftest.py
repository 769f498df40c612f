"""The files of conf/ are read once for all tests of this folder, as they are for all jobs of a multirun."""

from pathlib import Path

import pytest

from attnlab.cli.config.repository import YamlFiles

CONF = Path(__file__).resolve().parents[3] / "conf"


known = {}


@pytest.fixture(scope="module", autouse=True)  # without packages, theirs were the whole session
def _read_once():
    read = YamlFiles.read

    def remembered(files: YamlFiles, config_path: str):
        if any(Path(source.path) != CONF for source in files.sources if source.scheme() == "file"):  # a test's own
            return read(files, config_path)
        if Path(config_path).stem == "recorded":  # of a run, which is another for every command
            return read(files, config_path)
        if config_path not in known:
            known[config_path] = read(files, config_path)
        return known[config_path]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(YamlFiles, "read", remembered)
        yield
