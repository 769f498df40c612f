"""Build the parts of a run from its configuration."""

import logging
from typing import TYPE_CHECKING

from hydra.utils import instantiate
from omegaconf import DictConfig

from attnlab.cli.errors import MistakesError, user_error
from attnlab.cli.machine import build_within_memory, require_devices, require_search
from attnlab.models.seq2seq import Seq2Seq
from attnlab.tasks.coverage import check_coverage_loss
from attnlab.types import SPECIALS

if TYPE_CHECKING:  # Lightning takes seconds to import, and a rehearsal does without
    from attnlab.data.module import TranslationData
    from attnlab.tasks.translation import Translation

log = logging.getLogger(__name__)

REHEARSAL_UPDATES = 10
REHEARSAL_VOCABULARY = len(SPECIALS) + 6


def rehearse(config: DictConfig) -> None:
    """Build model, search, schedule and optimizer for a tiny vocabulary, before any data are read.

    Not on the meta device: there ``nn.Embedding`` imports torch's compiler, which takes seconds.

    Raises:
        ConfigError: a combination of settings that a constructor refuses.
        MistakesError: likewise, where the constructor is of another library.
    """
    require_devices(config.trainer)
    require_search(config.search, config.data.eval_batch_size, REHEARSAL_VOCABULARY, "data.eval_batch_size")
    part = "model"
    try:
        built = build_within_memory(lambda: model(config, REHEARSAL_VOCABULARY, REHEARSAL_VOCABULARY))
        if "coverage_loss" in config.task:
            check_coverage_loss(config.task.coverage_loss, built.draws_alignment)
        part = "search"
        searches = [instantiate(config.search), instantiate(config.task.validation_search)]
        for limits in (getattr(search, "limits", None) for search in searches):
            if limits is not None:
                limits.require_room(built.longest_target)
        part = "optimizer"
        optimizer = instantiate(config.optimizer)(built.parameters())
        part = "scheduler"
        instantiate(config.scheduler).configure(optimizer, REHEARSAL_UPDATES)
    except (TypeError, ValueError, RuntimeError) as error:
        known = user_error(error)
        if known is not None and type(known).__module__.partition(".")[0] == "attnlab":
            raise known from error
        hint = "HYDRA_FULL_ERROR=1 shows where"
        raise MistakesError([f"{part} cannot be built with these settings: {error} ({hint})"]) from error


def model(config: DictConfig, source_vocabulary: int, target_vocabulary: int) -> Seq2Seq:
    """The model, for vocabularies of these sizes."""
    built: Seq2Seq = instantiate(config.model)(source_vocabulary=source_vocabulary, target_vocabulary=target_vocabulary)
    return built


def task(config: DictConfig, data: "TranslationData") -> "Translation":
    """The LightningModule around a new model; ``data`` has been set up.

    Raises:
        DataError: a sentence of them is longer than the positions that the model knows.
    """
    require_search(config.search, config.data.eval_batch_size, len(data.target_tokenizer), "data.eval_batch_size")
    network = model(config, len(data.source_tokenizer), len(data.target_tokenizer))
    data.require_room(network.longest_source, network.longest_target)
    built: Translation = instantiate(config.task)(model=network, data=data)
    most, asked = network.longest_target, getattr(built.search, "limits", None)
    if most is not None and asked is not None and asked.max_length > most:
        log.warning("translations end at %d tokens, where the learned positions end: search.max_length is more", most)
    return built
