"""``attnlab view`` from the command line."""

from viewer_data import read


def test_a_run_is_written_into_one_file(commands, run):
    said = commands("view", f"runs={run}", "items=4", "checkpoints=[best,last]")
    assert said.strip() == f"view: {run / 'view.html'}"
    index, runs = read((run / "view.html").read_text("utf-8"))
    assert [told["name"] for told in index["runs"]] == ["luong_general, best", "luong_general, last"]
    assert [len(items) for items in runs] == [4, 4]
