"""The site is built offline and without a warning; what it tells of the configuration is what the configuration is."""

import html
import importlib.util
import re
import subprocess
import sys

import pytest
import yaml

PAGE = """# What it is.
_target_: attnlab.search.beam.Beam
beam: 4 # hypotheses "kept # apart"
n_best: 1
inner:
  several:
    - 1
    - 2
"""


@pytest.fixture(scope="module")
def reference(project_root):
    path = project_root / "docs" / "configuration_reference.py"
    spec = importlib.util.spec_from_file_location("configuration_reference", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(project_root, tmp_path_factory):
    """The site, and how it was built; the pages of the configuration are in docs/configuration then."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "docs", str(folder)]
    return folder, subprocess.run(command, cwd=project_root, capture_output=True, text=True, check=False)


def test_it_is_built_without_a_warning(site):
    folder, done = site
    assert done.returncode == 0, done.stderr[-3000:]
    attention = (folder / "configuration" / "attention.html").read_text("utf-8")
    assert "Bahdanau, Cho and Bengio 2015" in attention
    assert "score.attention_dim" in attention
    api = (folder / "api.html").read_text("utf-8")
    assert 'id="attnlab.load"' in api
    for page in folder.glob("**/*.html"):
        assert not re.search(r'(src|href)="(https?:)?//[^"]*\.(js|css)', page.read_text("utf-8")), f"{page} fetches"
    for page in ("index", "start", "concepts", "questions", "extending", "gallery", "viewer"):
        assert (folder / f"{page}.html").is_file()


def test_formulas_are_drawn(site, project_root):
    """Without a script: each is a picture with what it says in LaTeX, in the place where it stands in the source."""
    folder, _ = site
    source = (project_root / "docs" / "gallery.md").read_text("utf-8")
    page = (folder / "gallery.html").read_text("utf-8")
    written = re.findall(r"\$\$(.*?)\$\$", source, re.DOTALL)
    shown = re.findall(r'<div class="formula display"><svg role="img" aria-label="([^"]*)"', page)
    assert [html.unescape(text) for text in shown] == [text.strip() for text in written]
    assert len(shown) > 30
    assert "\\[" not in page


def test_what_cannot_be_drawn_is_told(project_root, monkeypatch):
    monkeypatch.syspath_prepend(project_root / "docs")
    import formulas

    with pytest.raises(ValueError, match="Unknown symbol"):
        formulas.drawn(r"\nosuchthing x", "inline")
    both = [formulas.drawn(r"\frac{1}{2}", kind) for kind in ("inline", "display")]
    heights = [float(re.search(r"height: ([\d.]+)em", svg).group(1)) for svg in both]
    assert heights[0] < heights[1], "a fraction of a line of its own has letters of full size"


def test_rows_are_values_with_their_comment_type_and_what_no_file_sets(reference):
    rows = {row.key: row for row in reference.values(PAGE)}
    assert rows["beam"][1:] == ("4", "a whole number from 1 to 10,000", 'hypotheses "kept # apart"')
    assert rows["inner.several"].default == "[1, 2]"
    assert rows["length_penalty"].default == "0.6"
    assert rows["patience"].default == "null"


def test_every_value_has_a_meaning(reference, project_root):
    conf = project_root / "conf"
    known = reference.all_known(conf)
    without = [
        f"{path.relative_to(conf)}: {row.key}"
        for path in conf.glob("**/*.yaml")
        if not {"job_logging", "hydra_logging", "local"} & set(path.relative_to(conf).parts)
        for row in reference.rows_of(path, conf, known)
        if not row.meaning
    ]
    assert without == []


def test_a_long_list_stays_on_its_line(reference):
    assert "\n" not in reference.spelled([{"when": {"attention": "luong_concat"}, "values": {"ppl": 6.7}}] * 9)


def test_every_value_of_every_group_is_on_a_page(site, project_root):
    conf = project_root / "conf"
    for path in conf.glob("*/**/*.yaml"):
        group = path.parent.relative_to(conf).as_posix()
        page = project_root / "docs" / "configuration" / f"{group.replace('/', '-')}.md"
        if not page.is_file():
            assert group in ("hydra/hydra_logging", "hydra/job_logging") or group.partition("/")[0] == "local"
            continue
        values = yaml.safe_load(path.read_text("utf-8")) or {}
        text = page.read_text("utf-8").replace("\\_", "_")
        keys = [key for key, value in values.items() if not key.startswith("_") and not isinstance(value, dict | list)]
        assert [key for key in keys if f"| {key} |" not in text] == []
