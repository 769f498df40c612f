"""What is asked of a loss on attention weights before there is one."""

from attnlab.types import ConfigError


def check_weights_loss(name: str, weight: float, has_weights: bool, fixed: bool = False) -> None:
    """Raise ConfigError for a weight that is negative, or a mechanism without weights to put the loss on.

    Args:
        name: of the setting: ``coverage_loss``, ``guided_alignment``.
        weight: its value.
        has_weights: whether the mechanism has some.
        fixed: whether they depend on nothing that is read, so that nothing could be learnt.
    """
    if weight < 0:
        raise ConfigError(f"task.{name} must be 0 (off) or above, got {weight}")
    if weight and (fixed or not has_weights):
        why = "this mechanism's are always the same" if fixed else "this mechanism draws no alignment"
        raise ConfigError(
            f"task.{name}={weight} is a loss on attention weights, and {why}. "
            f"Set task.{name}=0, or take an attention that draws one, such as attention=coverage"
        )
