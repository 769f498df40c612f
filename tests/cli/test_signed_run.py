"""A mechanism of one's own whose weights may be below 0: it is trained, drawn and viewed like any other."""

import numpy as np
import pytest
from PIL import Image
from viewer_data import read

MODULE = '''"""Weights of either sign."""

from attnlab.attention.base import Normalizer
from attnlab.attention.row_sums import RowSum


class Signed(Normalizer):
    row_sum = RowSum.SIGNED

    def forward(self, scores, mask):
        return (1e4 * scores).tanh().masked_fill(~mask, 0.0)
'''


@pytest.mark.long
def test_signed_weights_are_drawn_in_two_colours(commands, tiny, tmp_path):
    group = tmp_path / "conf" / "attention" / "normalizer"
    group.mkdir(parents=True)
    (tmp_path / "signed_weights.py").write_text(MODULE, "utf-8")
    (group / "signed.yaml").write_text("_target_: signed_weights.Signed\n_partial_: true\n", "utf-8")
    words = [
        *tiny,
        "attention/normalizer=signed",
        "callbacks.attention_maps.sentences=2",
        f"hydra.run.dir={tmp_path}/run",
    ]
    commands("train", *words, cwd=tmp_path)
    run = tmp_path / "run"
    with np.load(run / "attention" / "val.npz", allow_pickle=False) as kept:
        tables = [kept[f"weights_{number}"] for number in kept["sentences"]]
    assert min(table.min() for table in tables) < -0.001
    colors = np.concatenate([np.asarray(Image.open(path).convert("RGB"), int).reshape(-1, 3)
                             for path in (run / "attention").glob("val_*.png")])  # fmt: skip
    warm = (colors[:, 0] - colors[:, 2] > 3).any()
    cold = (colors[:, 2] - colors[:, 0] > 3).any()
    assert warm
    assert cold
    for output in ("view.html", "seen.png"):
        commands("view", f"runs={run}", "item=2", "trust=[signed_weights]", f"output={tmp_path}/{output}", cwd=tmp_path)
    look = read((tmp_path / "view.html").read_text("utf-8"))[1][0][0]["look"]["attention"]
    assert look[2].min() < -0.001
    assert (tmp_path / "seen.png").is_file()
