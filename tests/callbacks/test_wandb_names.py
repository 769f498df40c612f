"""Names that W&B would refuse: its own settings are the judge."""

import pytest
import wandb

from attnlab.callbacks.wandb_logger import WandbLogger
from attnlab.callbacks.wandb_names import LONGEST_NAME, LONGEST_TAG, cut
from attnlab.types import ConfigError


def test_tags_of_any_length_are_tags_of_wandb(tmp_path):
    long = [f"luong_general_with_my_settings_{'x' * 80}{end}" for end in "ab"]
    logger = WandbLogger(
        str(tmp_path), tags=[*long, "", "  ", None, "two\nlines", "fine", "fine"], name="n" * 500, group="g" * 500
    )
    tags = logger.settings["tags"]
    assert wandb.Settings(run_tags=tags).run_tags == tuple(tags)
    assert len(tags) == len(set(tags)) == 4  # two long ones that differ at their end only stay two
    assert tags[2:] == ["two lines", "fine"]
    assert all(len(tag) <= LONGEST_TAG for tag in tags)
    assert len(logger.settings["name"]) <= LONGEST_NAME
    assert len(logger.settings["group"]) <= LONGEST_NAME


def test_what_is_short_enough_stays():
    assert cut("a" * 64, 64) == "a" * 64
    assert len(cut("a" * 65, 64)) == 64


@pytest.mark.parametrize("project", ["a/b", "a\\b", "a#b", "a?b", "a%b", "a:b", "x" * 129, ""])
def test_a_project_that_wandb_refuses_is_told_before_training(project, tmp_path):
    if project:
        with pytest.raises(wandb.errors.UsageError):
            wandb.Settings(project=project)
    with pytest.raises(ConfigError, match=r"logger\.wandb\.project"):
        WandbLogger(str(tmp_path), project=project)
