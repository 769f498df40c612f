"""Small runs, trained once for all tests of this folder."""

import pytest

TINY = [
    "trainer=smoke", "logger=none", "dataset.train_size=200", "dataset.val_size=20", "dataset.test_size=20",
    "encoder.hidden_dim=8", "decoder.hidden_dim=16", "model.embedding_dim=8",
    "callbacks.attention_maps.sentences=0", "callbacks.run_files.figures=0",
]  # fmt: skip


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    """Where runs go, and what they read from the environment."""
    folder = tmp_path_factory.mktemp("api")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATTNLAB_ROOT", str(folder))
        patch.setenv("ATTNLAB_CACHE", str(folder / "cache"))
        yield folder


@pytest.fixture(scope="session")
def run(root):
    import attnlab

    return attnlab.train([*TINY, "attention=bahdanau"])


@pytest.fixture(scope="session")
def transformer(root):
    import attnlab

    sizes = [
        "encoder.layers=2",
        "decoder.layers=2",
        "encoder.layer.heads=2",
        "decoder.layer.heads=2",
        "attention.heads=2",
    ]
    kept = [word for word in TINY if "hidden_dim" not in word]
    return attnlab.train([*kept, *sizes, "attention=multi_head"])


@pytest.fixture(scope="session")
def classifier(root):
    import attnlab

    lines = [f"{word} film {number}\t{word}\n" for number in range(40) for word in ("good", "bad")]
    (root / "films.tsv").write_text("".join(lines), "utf-8")
    data = ["dataset=labelled", f"dataset.train={root}/films.tsv", "dataset.columns=[0,1]"]
    small = ["trainer=smoke", "logger=none", "encoder.hidden_dim=4", "model.embedding_dim=8", "data.ngrams=null"]
    return attnlab.train([*data, *small, "pooling=last_state", "attention=luong_general"])
