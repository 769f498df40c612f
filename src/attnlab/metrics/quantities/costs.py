"""What training and decoding cost, and what is logged on the way: numbers without items."""

from attnlab.metrics.quantity import Cost

PARAMETERS = Cost(name="params", title="parameters", better="lower", digits=0, split="")
SECONDS = Cost(name="seconds", title="training", better="lower", digits=0, unit="s", split="train", of_folds="sum")


def training_speed(unit: str) -> Cost:
    """Units a second: ``train/target_tokens_per_second``.

    Args:
        unit: of the task, in the plural.
    """
    name, short = f"{unit.replace(' ', '_')}_per_second", unit.split()[-1]
    return Cost(name=name, title="training speed", better="higher", digits=0, unit=f"{short}/s", split="train")


TRAINING_SPEED = training_speed("target tokens")
PEAK_MEMORY = Cost(
    name="peak_memory_mib", title="peak memory", better="lower", digits=0, unit="MiB", split="", of_folds="max"
)
DECODING_SPEED = Cost(
    name="sentences_per_second", title="decoding speed", better="higher", digits=0, unit="sentences/s"
)
MFU = Cost(name="mfu", title="model FLOPs utilization", better="higher", digits=3, split="train", column=False)
COVERAGE_LOSS = Cost(name="coverage_loss", title="coverage loss", better="lower", digits=3, split="train", column=False)
R_DROP = Cost(name="r_drop", title="R-Drop divergence", better="lower", digits=3, split="train", column=False)
GUIDED_ALIGNMENT = Cost(
    name="guided_alignment", title="guided alignment loss", better="lower", digits=3, split="train", column=False
)
