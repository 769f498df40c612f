"""What settings of the task cannot work with a model, found before data are read."""

from collections.abc import Mapping
from typing import Any

from attnlab.models.seq2seq import Seq2Seq
from attnlab.tasks.translation.r_drop import check_r_drop
from attnlab.tasks.translation.weights_losses import check_weights_loss


def rehearse(settings: Mapping[str, Any], model: Seq2Seq) -> None:
    """Hold the settings of ``conf/task/translation.yaml``, their parts built, against a model of a few words.

    Raises:
        ConfigError: they do not go together.
    """
    for loss in ("coverage_loss", "guided_alignment"):
        check_weights_loss(loss, settings.get(loss, 0.0), model.has_weights, model.fixed_weights)
    check_r_drop(settings.get("r_drop", 0.0), model)
    for name in ("search", "validation_search"):
        limits = getattr(settings.get(name), "limits", None)
        if limits is not None:
            limits.require_room(model.longest_target)
