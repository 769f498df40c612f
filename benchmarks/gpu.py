"""On a GPU: training throughput at two sizes, share of the bf16 peak, and what additive scores cost.

    python benchmarks/gpu.py [--rounds 30] [--out file]

* Training (forward, backward, clipping, fused Adam) in fp32 (TF32 products) and under bf16 autocast, at the size of
  Multi30k (embeddings 256, BiLSTM 256 a direction, LSTM 512, 80 sentences) and at base size (512, 512, 1,024, 256
  sentences, vocabulary 32,000), on random sentences of Multi30k's lengths: tokens a second, FLOPs by the shapes, share
  of the peak of matrix products measured in the same run.
* The additive score with its softmax and context, forward and backward: what ``attention=bahdanau`` uses on this
  machine, the plain equation, and the plain equation compiled; and the rate of the tanh alone on B x T x S x A numbers
  in registers' reach (in place, chunk by chunk), which bounds any kernel that computes each tanh once.

Variants take turns; times are between CUDA events. Nothing here has been measured on a GPU by its authors yet unless
a file under ``results`` says so.
"""

import argparse
import statistics
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import torch
from hydra.utils import instantiate
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent))
import measure
import ours

from attnlab.callbacks.gemm_peak import measure as gemm_rate
from attnlab.models.flops import count, moments
from attnlab.types import BOS, EOS, Batch, Encoded

SIZES = {
    "multi30k": (["model.embedding_dim=256", "encoder.hidden_dim=256", "decoder.hidden_dim=512"], 8000, 80),
    "base": (["model.embedding_dim=512", "encoder.hidden_dim=512", "decoder.hidden_dim=1024"], 32000, 256),
}
PLACES = {"input_feeding": ("luong_general", "luong_input_feeding"), "early": ("luong_general", "luong")}
PLACES["additive_input_feeding"] = ("bahdanau", "luong_input_feeding")
ADDITIVE = ((32, 64, 64, 512), (64, 128, 128, 512), (32, 256, 256, 512))  # B, T, S, A


def main() -> None:
    options = arguments()
    if not torch.cuda.is_available():
        raise SystemExit("no GPU here: this benchmark needs one")
    torch.set_float32_matmul_precision("high")
    measure.report(f"## GPU\n\n{measure.machine()}\n", options.out)
    header = ("size", "decoder", "precision", "tokens/s", "TFLOP/s", "share of the peak")
    rows = [row for size in SIZES for place in PLACES for row in training(size, place, options.rounds)]
    measure.report(measure.table(header, rows) + "\n", options.out)
    header = ("B, T, S, A", "variant", "ms", "T tanh/s", "MiB at the peak")
    measure.report(measure.table(header, [row for s in ADDITIVE for row in additive(*s, options.rounds)]), options.out)


def training(size: str, place: str, rounds: int) -> list[tuple[str, ...]]:
    """Both precisions of one model."""
    overrides, vocabulary, sentences = SIZES[size]
    attention, decoder = PLACES[place]
    config = ours.composed(f"attention={attention}", f"decoder={decoder}", *overrides, "model.dropout=0")
    batches = [random_batch(sentences, vocabulary, number) for number in range(8)]
    runs, work, peaks = {}, 0.0, {}
    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        model = instantiate(config.model)(source_vocabulary=vocabulary, target_vocabulary=vocabulary).cuda()
        work = work or count(model).of(sum(moments(batch) for batch in batches)) / len(batches)
        runs[precision] = step_of(model, batches, precision == "bf16")
        peaks[precision] = gemm_rate(torch.device("cuda"), dtype, 1.0)
    seconds = interleave(runs, rounds)
    tokens = sum(batch.tokens.numel() for batch in batches) / len(batches)
    rows = []
    for precision, taken in seconds.items():
        median = statistics.median(taken)
        rate = work / median
        shown = (f"{tokens / median:,.0f}", f"{rate / 1e12:.1f}", f"{rate / peaks[precision]:.0%}")
        rows.append((size, place, precision, *shown))
    return rows


def step_of(model: nn.Module, batches: list[Batch], bf16: bool) -> Callable[[int], object]:
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-4, fused=True)

    def step(number: int) -> None:
        batch = batches[number % len(batches)]
        with torch.autocast("cuda", torch.bfloat16) if bf16 else nullcontext():
            loss = model.loss(batch, model(batch))
            mean = loss.total / loss.tokens
        optimizer.zero_grad(set_to_none=True)
        mean.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


def random_batch(sentences: int, vocabulary: int, seed: int) -> Batch:
    """Sentences of 8 to 20 tokens, as bucketed batches of captions have."""
    torch.manual_seed(seed)
    longest = int(torch.randint(8, 21, ()))
    lengths = torch.randint(max(4, longest - 2), longest + 1, (sentences,))
    mask = torch.arange(longest) < lengths[:, None]
    source = torch.randint(4, vocabulary, (sentences, longest)).masked_fill(~mask, 0)
    target = torch.cat([torch.full((sentences, 1), BOS), source, torch.zeros(sentences, 1, dtype=torch.long)], 1)
    target[torch.arange(sentences), lengths + 1] = EOS
    target_mask = torch.arange(longest + 1) <= lengths[:, None]
    tokens = target_mask.flatten().nonzero().flatten()
    return Batch(*(part.cuda() for part in (source, mask, target, target_mask, tokens, torch.arange(sentences))))


def additive(B: int, T: int, S: int, A: int, rounds: int) -> list[tuple[str, ...]]:
    """The variants at one size."""
    torch.manual_seed(0)
    query, states = (torch.randn(B, n, A, device="cuda", requires_grad=True) for n in (T, S))
    mask = torch.ones(B, S, dtype=torch.bool, device="cuda")
    mechanism = instantiate(ours.composed("attention=bahdanau").attention)(query_dim=A, key_dim=A, summary_dim=A).cuda()

    def attnlab() -> Tensor:
        memory = mechanism.memory(Encoded(states, mask, states[:, -1], (states[:, -1:],)))
        return mechanism(query, memory).context

    def plain() -> Tensor:
        score = mechanism.score
        inside = score.W_a(query).unsqueeze(2) + score.U_a(states).unsqueeze(1)
        return score.v_a(torch.tanh(inside)).squeeze(-1).softmax(-1) @ states

    forward = {"attnlab": attnlab, "plain": plain, "plain, compiled": torch.compile(plain)}
    numbers = torch.randn(2**22, device="cuda", dtype=torch.bfloat16)  # 8 MB: stays in the cache

    def backwards(run: Callable[[], Tensor]) -> Callable[[int], object]:
        return lambda number: run().sum().backward()

    runs = {name: backwards(run) for name, run in forward.items()}
    repeats = -(-B * T * S * A // numbers.numel())
    runs["tanh alone, forward"] = lambda number: [numbers.tanh_() for _ in range(repeats)]
    peaks = {name: peak_of(run) for name, run in runs.items()}
    rows = []
    for name, taken in interleave(runs, rounds).items():
        median = statistics.median(taken)
        shown = (f"{1e3 * median:.2f}", f"{B * T * S * A / median / 1e12:.2f}", f"{peaks[name]:.0f}")
        rows.append((f"{B}, {T}, {S}, {A}", name, *shown))
    return rows


def peak_of(run: Callable[[int], object]) -> float:
    run(0)
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    run(0)
    return (torch.cuda.max_memory_allocated() - before) / 2**20


def interleave(runs: dict[str, Callable[[int], object]], rounds: int, warm: int = 10) -> dict[str, list[float]]:
    """Seconds of every variant in every round, between CUDA events."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(warm + rounds):
        for name, run in runs.items():
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            run(number)
            end.record()
            end.synchronize()
            if number >= warm:
                seconds[name].append(start.elapsed_time(end) / 1e3)
    return seconds


def arguments() -> argparse.Namespace:
    parser = measure.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    return parser.parse_args()


if __name__ == "__main__":
    main()
