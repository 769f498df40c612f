"""What is asked of a loss on attention weights before there is one."""

from attnlab.types import ConfigError


def check_weights_loss(name: str, weight: float, has_weights: bool) -> None:
    """Raise ConfigError for a weight that is negative, or a mechanism without weights to put the loss on.

    Args:
        name: of the setting: ``coverage_loss``, ``guided_alignment``.
        weight: its value.
        has_weights: whether the mechanism has some.
    """
    if weight < 0:
        raise ConfigError(f"task.{name} must be 0 (off) or above, got {weight}")
    if weight and not has_weights:
        raise ConfigError(
            f"task.{name}={weight} is a loss on attention weights, and this mechanism draws no alignment. "
            f"Set task.{name}=0, or take an attention that draws one, such as attention=coverage"
        )
