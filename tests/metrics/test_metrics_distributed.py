"""The metrics over two real processes that hold unequal shares, one batch being empty."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.multiprocessing as mp

from attnlab.metrics.alignment import AlignmentErrorRate
from attnlab.metrics.perplexity import Perplexity
from attnlab.metrics.translation import CorpusScore

HYPOTHESES = ["the cat sat on the mat .", "a dog", "", "she reads an old book in the park", "he sleeps"]
REFERENCES = [
    "the cat sat on a mat .",
    "the dog barks",
    "yes",
    "in the park she reads an old book",
    "he sleeps",
]
LINKS = [{(0, 0)}, {(0, 1), (1, 0)}, set(), {(2, 2), (1, 1)}, {(0, 0)}]
GOLD = [{(0, 0)}, {(0, 0), (1, 0)}, {(0, 0)}, {(2, 2), (1, 1)}, {(1, 1)}]
NLL = [3.25, 1.5e13, 0.75, 10.5, 2.0]  # the second is more than one int64 of fixed point holds


def measure(rows: list[int]) -> dict[str, Any]:
    score, error, perplexity = CorpusScore(), AlignmentErrorRate(), Perplexity()
    score.update([HYPOTHESES[row] for row in rows], [REFERENCES[row] for row in rows])
    score.update([], [])
    for row in rows:
        error.update(LINKS[row], GOLD[row], GOLD[row])
        perplexity.update(torch.tensor(NLL[row]), row + 1)
    with perplexity.sync_context():
        loss = perplexity.mean()
    return {**score.compute(), "aer": error.compute().item(), "ppl": perplexity.compute().item(), "loss": loss}


def work(rank: int, folder: str) -> None:
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    found = measure([0, 1, 2, 3] if rank == 0 else [4])
    Path(folder, f"{rank}.json").write_text(json.dumps(found))
    torch.distributed.destroy_process_group()


@pytest.mark.long
@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch was built without torch.distributed")
def test_two_processes_equal_one(tmp_path: Path) -> None:
    mp.spawn(work, args=(str(tmp_path),), nprocs=2)
    alone = measure([0, 1, 2, 3, 4])
    for rank in (0, 1):
        assert json.loads((tmp_path / f"{rank}.json").read_text()) == alone
    assert alone["loss"] == float(sum(map(Fraction, torch.tensor(NLL).tolist())) / 15)
