"""``attnlab align`` and ``attnlab links`` from the command line."""

import json
import shutil

import pytest
from omegaconf import OmegaConf

from attnlab.cli.aligning import Alignments, require_turned
from attnlab.cli.aligning import languages as languages_of
from attnlab.cli.linking import require_places
from attnlab.errors import ConfigError


@pytest.fixture(scope="module")
def pairs(run):
    """Sentence pairs of the shared run's test set, as word aligners read them."""
    items = [json.loads(line) for line in (run / "test.jsonl").read_text("utf-8").splitlines()[:4]]
    return [f"{item['source']} ||| {item['reference']}" for item in items]


def links(text):
    return [[tuple(map(int, link.split("-"))) for link in line.split()] for line in text.splitlines()]


def test_pairs_are_aligned_by_what_the_run_looks_at(commands, run, pairs):
    text = "\n".join([*pairs, "only one side", "", pairs[0].replace(" ||| ", "\t")]) + "\n"
    found = links(commands("align", f"run={run}", text=text))
    assert found[4] == found[5] == []
    assert found[6] == found[0]
    told = [json.loads(line) for line in commands("align", f"run={run}", "format=json", text=text).splitlines()]
    assert told[4]["error"].startswith("one part; expected two sentences with ' ||| '")
    for pair, line, item in zip(pairs, found, told, strict=False):
        source, target = (side.split() for side in pair.split(" ||| "))
        assert (item["source"], item["target"]) == (source, target)
        assert [len(row) for row in item["weights"]] == [len(source)] * len(target)
        assert line == [(row.index(max(row)), j) for j, row in enumerate(item["weights"])] or sorted(line) == line
        assert {(max(range(len(row)), key=row.__getitem__), j) for j, row in enumerate(item["weights"])} == set(line)


@pytest.mark.long
def test_a_pair_alone_is_aligned_as_among_others(commands, run, pairs):
    together = commands("align", f"run={run}", "method=one_to_one", text="\n".join(pairs)).splitlines()
    alone = commands("align", f"run={run}", "method=one_to_one", "chunk=1", text="\n".join(pairs)).splitlines()
    assert together == alone
    for line in links("\n".join(alone)):
        assert len({i for i, _ in line}) == len({j for _, j in line}) == len(line) > 0
    counted = commands("align", f"run={run}", "method=one_to_one", "base=1", text="\n".join(pairs))
    assert links(counted) == [[(i + 1, j + 1) for i, j in line] for line in links("\n".join(alone))]


def test_what_cannot_be_asked_of_a_run(commands, run, pairs):
    assert "has no heads" in commands("align", f"run={run}", "head=0", text=pairs[0], code=2)
    assert "method: came 'hungarian', expected one of argmax" in commands(
        "align", f"run={run}", "method=hungarian", code=2
    )


@pytest.fixture
def text(tmp_path, pairs):
    """The pairs in a file, and turned round in another."""
    (tmp_path / "pairs.txt").write_text("\n".join(pairs) + "\n", "utf-8")
    turned = [" ||| ".join(reversed(pair.split(" ||| "))) for pair in pairs]
    (tmp_path / "turned.txt").write_text("\n".join(turned) + "\n", "utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def other(run, tmp_path_factory):
    """The same run, said to be of the other direction: so what it draws is known."""
    folder = tmp_path_factory.mktemp("other") / "run"
    shutil.copytree(run, folder)
    config = folder / ".hydra" / "config.yaml"
    said = config.read_text("utf-8").replace("source_language: en", "source_language: de")
    config.write_text(said.replace("target_language: de", "target_language: en"), "utf-8")
    return folder


def test_both_directions_are_made_one(commands, run, other, text):
    forward = links(commands("align", f"run={run}", f"input={text / 'pairs.txt'}"))
    backward = links(commands("align", f"run={run}", f"input={text / 'turned.txt'}"))
    both = {
        "union": [sorted({*one, *((t, s) for s, t in two)}) for one, two in zip(forward, backward, strict=True)],
        "intersection": [sorted({*one} & {(t, s) for s, t in two}) for one, two in zip(forward, backward, strict=True)],
    }
    asked = f"run={run}", f"backward={other}", f"input={text / 'pairs.txt'}"
    for name, expected in both.items():
        found = commands("align", *asked, f"symmetrize={name}")
        assert links(found) == expected


def test_what_agrees_most_is_chosen(commands, run, other, text):
    asked = (f"run={run}", f"backward={other}", f"input={text / 'pairs.txt'}", "symmetrize=union", "choose=agreement")
    commands("align", *asked, f"output={text / 'out.txt'}")
    told = commands.told
    assert "chosen by agreement (F1 0." in told
    assert "of 4 pairs): forward weights of the run, of the step that" in " ".join(told.split())
    assert len((text / "out.txt").read_text("utf-8").splitlines()) == 4
    assert f"4 of 4 lines aligned: {text / 'out.txt'}" in " ".join(told.split())


@pytest.mark.parametrize(("common", "linked", "asked"), [(9, 100, True), (10, 100, False), (0, 49, False)])
def test_directions_that_may_be_swapped_are_asked_about(common, linked, asked):
    found = Alignments.__new__(Alignments)
    found.common, found.linked = common, linked
    assert ("does run= read what stands before |||" in found.remark) is asked


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("choose=agreement", "of two directions; name a run of the other one"),
        ("choose=agreement backward={run}", "standard input is read once: name choose_on="),
        ("choose=agreement backward={run} input=x layer=0", "chooses layer, which was given, too"),
        ("choose_on=x", "choose_on: nothing reads it without choose=agreement"),
        ("choose_pairs=5 choose=given", "choose_pairs: nothing reads it without choose=agreement"),
        ("theta=0.3", "theta: nothing reads it without method=threshold; add method=threshold, or leave theta out"),
        ("theta=0.3 method=argmax", "theta: nothing reads it without method=threshold"),
        ("symmetrize=union backward=null", "symmetrize: nothing reads it without backward; add backward=…"),
    ],
)
def test_a_choice_that_cannot_be_made_is_refused(commands, run, asked, told):
    said = commands("align", f"run={run}", *asked.format(run=run).split(), code=2)
    assert told in " ".join(said.split())


def recorded(folder, *languages):
    (folder / ".hydra").mkdir(parents=True)
    dataset = {f"{side}_language": said for side, said in zip(("source", "target"), languages, strict=False)}
    (folder / ".hydra" / "config.yaml").write_text(f"dataset: {json.dumps(dataset)}\n", "utf-8")
    return str(folder)


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        (("de", "en"), ("de", "en"), True),
        (("de", "en"), ("de", "fr"), True),
        (("de", "en"), ("fr", "en"), True),
        (("de", "en"), ("en", "de"), False),
        (("de", "en"), ("eng", "deu"), False),
        (("de", "en"), (), False),
        ((), (), False),
        (("en", "en"), ("en", "en"), False),
    ],
)
def test_a_second_run_of_the_same_direction_is_refused(monkeypatch, tmp_path, first, second, refused):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    runs = recorded(tmp_path / "first", *first), recorded(tmp_path / "second", *second)
    if not refused:
        require_turned(*runs)
        return
    with pytest.raises(ConfigError, match="expected one that reads en and writes de, as run="):
        require_turned(*runs)


@pytest.mark.parametrize(
    ("dataset", "languages"),
    [
        ({"pair": "deen", "turned": False}, ("de", "en")),
        ({"pair": "grcen", "turned": True}, ("en", "grc")),
        ({"source_language": "de"}, ("de", "")),
    ],
)
def test_what_a_run_reads_and_writes(monkeypatch, tmp_path, dataset, languages):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    (tmp_path / "run" / ".hydra").mkdir(parents=True)
    (tmp_path / "run" / ".hydra" / "config.yaml").write_text(f"dataset: {json.dumps(dataset)}\n", "utf-8")
    assert languages_of("run") == languages


@pytest.fixture
def files(tmp_path):
    """Two directions, the second counted from its own side; gold links from 1."""
    contents = {
        "forward.txt": "0-0 1-1 1-2\n0-0\n\n",
        "backward.txt": "0-0 1-1 3-3\n0-0 1-1\n0-0\n",
        "gold.txt": "1-1 2?2 2p3\n1-1 2-2P\n1-1\n",
    }
    for name, text in contents.items():
        (tmp_path / name).write_text(text, "utf-8")
    return {name.removesuffix(".txt"): tmp_path / name for name in contents}


def test_two_directions_are_made_one(commands, files, tmp_path):
    both = f"files=[{files['forward']},{files['backward']}]"
    commands("links", both, "symmetrize=[grow_diag_final_and]", f"output={tmp_path / 'one.txt'}")
    assert (tmp_path / "one.txt").read_text("utf-8") == "0-0 1-1 1-2 3-3\n0-0 1-1\n0-0\n"


def test_a_byte_order_mark_is_no_link(commands, files, tmp_path):
    for name, marked in (("forward", "\ufeff0-0 1-1\r\n0-0\r\n\r\n"), ("gold", "\ufeff\n1-1\n1-1\n")):
        files[name].write_text(marked, "utf-8")
    told = commands("links", f"files=[{files['forward']}]", f"gold={files['gold']}", "gold_base=1")
    assert "3 pairs" in " ".join(told.split())


@pytest.mark.parametrize("read", ["files=[{mine}]", "text={mine}", "gold={mine}", "train=[{mine}]", "json={mine}"])
def test_nothing_that_is_read_is_written_over(tmp_path, monkeypatch, read):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").write_text("0-0\n", "utf-8")
    (tmp_path / "link").symlink_to("mine")
    base = OmegaConf.create({"files": [], "text": None, "train": [], "gold": None, "output": "link", "json": None})
    config = OmegaConf.merge(base, OmegaConf.from_dotlist([read.format(mine=tmp_path / "mine")]))
    with pytest.raises(ConfigError, match="would be lost; name another"):
        require_places(config)
    require_places(OmegaConf.merge(config, {"output": "new", "json": None}))


def test_alignments_are_scored(commands, files, tmp_path):
    both = f"files=[{files['forward']},{files['backward']}]"
    told = commands("links", both, "symmetrize=[intersection,union]", f"gold={files['gold']}", "gold_base=1",
                    f"json={tmp_path / 'scores.json'}", environment={"COLUMNS": "80"})  # fmt: skip
    assert max(map(len, told.splitlines())) <= 80
    assert "3 pairs; 95% intervals over the pairs" in " ".join(told.split())
    scores = json.loads((tmp_path / "scores.json").read_text("utf-8"))
    assert list(scores) == [str(files["forward"]), str(files["backward"]), "intersection", "union"]
    # |A∩S|, |A∩P|, |A|, |S|: 2, 4, 4, 3 of the first
    assert scores[str(files["forward"])]["aer"][0] == pytest.approx(1 - (2 + 4) / (4 + 3))
    assert scores[str(files["forward"])]["p"] is None
    assert scores["intersection"]["precision"][0] == 1


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("symmetrize=[union]", "symmetrize: came 1 files, expected two, one of each direction"),
        ("", "nothing to do: name gold=…"),
        ("aligners=[eflomal] gold={gold}", "aligners: what do they align? Name text=…"),
        ("text={short} gold={gold}", "text: is of aligners=[…]"),
        (
            "aligners=[eflomal] text={short} output=x",
            "output: is written of two directions that are made one, or by an",
        ),
        (
            "files=[] aligners=[systran_align] text={short} symmetrize=[union] output=x",
            "makes both directions one itself",
        ),
        ("gold={gold}", "is of word 0, and words are counted from 1"),
        ("gold={short} base=0", "a line a pair of sentences, the same ones in all files"),
    ],
)
def test_what_is_wrong_is_told(commands, files, tmp_path, asked, told):
    (tmp_path / "short.txt").write_text("0-0\n", "utf-8")
    words = asked.format(gold=files["gold"], short=tmp_path / "short.txt").split()
    base = [] if "base=0" in asked else ["base=1"]
    said = commands("links", f"files=[{files['forward']}]", *words, *base, code=2)
    assert told in " ".join(said.split())
