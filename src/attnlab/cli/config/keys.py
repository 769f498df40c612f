"""Keys of the command line that a composed configuration does not have, and what was meant instead."""

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, ListConfig, OmegaConf

from attnlab.cli.config.overrides import Groups, line
from attnlab.cli.config.places import first_missing, names_at, reference
from attnlab.cli.config.words import elsewhere, meant, optional
from attnlab.cli.errors import nearest

TAKERS = {
    "position": "encoder=transformer, encoder=convolutional and decoder=transformer take one; "
    "recurrent layers know the order by themselves",
    "attention": "pooling=context_vector, last_state and structured take one, in task=classification, and "
    "model=decomposable and word_by_word in task=entailment, model=forecaster in task=forecasting",
    "decoder": "task=translation has one",
    "bridge": "task=translation has one",
    "search": "task=translation has one",
    "pooling": "model=classifier and model=hierarchical take one, in task=classification and task=documents, and "
    "model=siamese in task=entailment",
    "sentence_pooling": "model=hierarchical takes one, in task=documents",
    "sentence_encoder": "model=hierarchical takes one, in task=documents",
    "encoder": "model=seq2seq, classifier, hierarchical, decomposable, word_by_word, siamese and forecaster take one",
    "self_attention": "encoder=transformer and decoder=transformer have some",
    "optimizer": "models that are trained by gradients have one: not linear, overlap_linear, naive, ridge_lags, ets, …",
    "scheduler": "models that are trained by gradients have one: not linear, overlap_linear, naive, ridge_lags, ets, …",
}


def wrong_keys(overrides: list[Override], config: DictConfig, groups: Groups) -> dict[str, str]:
    """Messages, by override, for keys that the composed config does not have."""
    wrong = {}
    for override in overrides:
        key = override.key_or_group
        if key.startswith("hydra.sweeper.params"):
            wrong[line(override)] = f"{line(override)}: what is swept is written on its own: -m key=value,value"
            continue
        if groups.chooses(override) or override.is_add() or override.is_force_add():
            continue
        if override.is_sweep_override():
            several = isinstance(OmegaConf.select(config, key, throw_on_missing=False), ListConfig)
            listed = f"; a list is written {key}=[{line(override).partition('=')[2]}]" * several
            wrong[line(override)] = f"{key}: several values need the flag -m (--multirun){listed}"
            continue
        missing = first_missing(config, key)
        through = reference(config, key)
        if through is not None:
            place, text, root = through
            wrong[line(override)] = f"{key}: {place} is {text}; set {root}{key[len(place) :]} instead"
        elif missing is not None:
            parent, name = missing
            names = names_at(config, parent) | (set() if parent else groups.top)
            if not parent and name in groups.heads:
                told = f"there is no {name} here to set it of; {takers(name, groups.options(name))}"
            elif OmegaConf.select(config, parent, throw_on_missing=False) is None:
                told = f"{parent} is null here; set it as a whole, {parent}={{{name}:…}}, or leave it out"
            elif name in names:
                told = f"unknown key; add it with +{line(override)}"
            else:
                value = line(override).partition("=")[2]
                hint = optional(name, value) if parent else elsewhere(config, name, value)
                told = f"unknown key; {hint or meant(name, names)}"
                if key.startswith("hydra.launcher."):  # tables of what a launcher hands on, as Ray's init
                    told += f"; a setting that is handed on is added: +{line(override)}"
            wrong[line(override)] = f"{key}: {told}"
    return wrong


def takers(group: str, options: list[str]) -> str:
    """What takes an option of a group; of a group that anything may take, the options."""
    return TAKERS.get(group) or f"choose one, {group}=…; {nearest('', options)}"
