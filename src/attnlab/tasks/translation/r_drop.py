"""What R-Drop needs of a model; its loss is ``attnlab.kernels.two_passes``."""

from torch import nn

from attnlab.types import ConfigError


def check_r_drop(weight: float, model: nn.Module) -> None:
    """Raise ConfigError where two passes could not differ, or what is drawn at random would have to be learnt from."""
    if not weight:
        return
    if not any(isinstance(part, nn.Dropout) and part.p > 0 for part in model.modules()):
        raise ConfigError(f"task.r_drop={weight}: without dropout both passes are the same; set model.dropout, too")
    if any(getattr(part, "draws", False) is True for part in model.modules()):
        raise ConfigError(
            f"task.r_drop={weight}: this attention draws its weights at random, and what is learnt from draws is "
            "of one pass; set task.r_drop=0, or take attention/normalizer=hard_st"
        )
