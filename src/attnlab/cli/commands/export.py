"""``attnlab export run=<folder>``: write the weights of a run as safetensors."""

from pathlib import Path
from typing import TypedDict

from omegaconf import DictConfig

from attnlab.atomic import require_place
from attnlab.cli.app import Command, launch
from attnlab.cli.runs import checkpoint_file, find, within
from attnlab.errors import ConfigError
from attnlab.ranges import PathText, ZeroOrMore

USAGE = """
Write the weights of a trained run as safetensors, which hold tensors and text and nothing that could be executed.

  attnlab export run=latest                                    <run>/model.safetensors
  attnlab export run=latest checkpoint=last output=my.safetensors

Its metadata tell the model's configuration and both vocabularies; checkpoint=<file>.safetensors of translate and
evaluate reads it, and refuses the weights of another model.
"""


class Options(TypedDict):
    """The plain values at the root of conf/export.yaml."""

    run: PathText | ZeroOrMore
    checkpoint: PathText
    output: PathText | None


def export(config: DictConfig) -> None:
    """Write the file and tell where it is."""
    from attnlab.cli.weights import SUFFIX, save_weights  # torch takes seconds to import

    folder = find(str(config.run)).resolve()
    checkpoint = checkpoint_file(folder, config.checkpoint)
    output = Path(config.output) if config.output else within(folder, "model.safetensors")
    if output.suffix != SUFFIX:  # by which they are told from checkpoints, of which this may be one
        raise ConfigError(f"output={output}: expected a name that ends in {SUFFIX}")
    require_place(output)
    save_weights(folder, checkpoint, output)
    print(f"weights: {output}")


COMMAND = Command(export, Options, USAGE)


def main() -> None:
    """The console command."""
    launch(COMMAND)
