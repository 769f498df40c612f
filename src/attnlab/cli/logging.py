"""Keep the terminal to what matters: only noise that is known and harmless is left out."""

import logging
import warnings

import torch

from attnlab.kernels.cpu_products import choose_library

KNOWN_NOISE = (
    # Batches are small index lists over memory-mapped data: worker processes cost more than they give.
    r".*does not have many workers.*",
    # trainer=smoke takes fewer batches than one logging interval.
    r".*smaller than the logging interval.*",
    # Lightning 2.6 with torch 2.13: its own use of torch's tree functions.
    r".*isinstance\(treespec, LeafSpec\)` is deprecated.*",
    # The metrics add their sums up over processes before they are logged.
    r"It is recommended to use `self\.log\(.*sync_dist=True.*",
    # An LSTM encoder joins its weights with a column of its own in every pass (on a GPU, where this is said).
    r"RNN module weights are not part of single contiguous chunk.*",
    # A model that is fitted at once has no optimizer.
    r".*`LightningModule.configure_optimizers` returned `None`.*",
    # Data without a validation of their own: a series that is trained on up to the test.
    r"Total length of `.*` across ranks is zero.*",
    # Resuming writes to the folder it resumes from.
    r"Checkpoint directory .* exists and is not empty.*",
)


def quiet() -> None:
    """Leave out Lightning's announcements (devices, tips, model summary hints) and known warnings."""
    for name in (
        "pytorch_lightning",
        "lightning",
        "lightning_fabric",
        "lightning.pytorch",
        "lightning.fabric",
    ):
        logging.getLogger(name).setLevel(logging.WARNING)
    for text in KNOWN_NOISE:
        warnings.filterwarnings("ignore", message=text)


def set_up_torch() -> None:
    """Denormal numbers slow training on a CPU many times."""
    torch.set_flush_denormal(True)
    choose_library()
