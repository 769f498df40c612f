"""My dataset: what every data set holds, and what its file says."""

import pytest

from attnlab.testing import configured, dataset


def build(*settings):
    return configured("dataset=my_dataset", *settings)


@pytest.mark.parametrize("check", dataset.CHECKS)
def test_contract(check):
    check(build)


def test_every_pair_of_the_file_is_in_one_split():
    corpus = build()
    pairs = [pair for split in corpus.splits for pair in corpus.read(split)]
    assert len(pairs) == 24
    assert ("The dog sleeps.", "Der Hund schläft.") in [pair.texts for pair in pairs]
    assert corpus.report.total() == 0


def test_a_malformed_line_is_counted_or_stops_the_run(tmp_path):
    good = [f'{{"source": "word {number}", "target": "Wort {number}"}}' for number in range(10)]
    bad = ['{"source": "a"}', "[1", '{"source": 1, "target": "a"}', '{"source": "a", "target": " "}']
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join([*good, *bad]) + "\n", "utf-8")
    corpus = build(f"dataset.file='{file}'", "dataset.val_size=2", "dataset.test_size=2")
    assert len(list(corpus.read("train"))) == 6
    assert dict(corpus.report.skipped["train"]) == {"no JSON with source and target": 3, "empty side": 1}
    with pytest.raises(ValueError, match=r"pairs\.jsonl:11: no JSON with source and target"):
        list(build(f"dataset.file='{file}'", "dataset.malformed=error").read("train"))
