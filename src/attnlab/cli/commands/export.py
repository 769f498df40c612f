"""``attnlab export run=<folder>``: write the weights of a run as safetensors, or the model for CTranslate2."""

from pathlib import Path
from typing import Literal, TypedDict

from omegaconf import DictConfig

from attnlab.atomic import require_place
from attnlab.cli.app import Command, launch
from attnlab.cli.runs import checkpoint_file, find, within
from attnlab.errors import ConfigError
from attnlab.ranges import PathText, ZeroOrMore

USAGE = """
Write the weights of a trained run as safetensors, which hold tensors and text and nothing that could be executed; or a
Transformer as a model of CTranslate2, an engine that decodes in C++.

  attnlab export run=latest                                    <run>/model.safetensors
  attnlab export run=latest checkpoint=last output=my.safetensors
  attnlab export run=latest to=ctranslate2                     <run>/ctranslate2/, a folder

Its metadata tell the model's configuration and both vocabularies; checkpoint=<file>.safetensors of translate and
evaluate reads it, and refuses the weights of another model.
"""


class Options(TypedDict):
    """The plain values at the root of conf/export.yaml."""

    run: PathText | ZeroOrMore
    checkpoint: PathText
    to: Literal["safetensors", "ctranslate2"]
    output: PathText | None
    trust: list[str]


def export(config: DictConfig) -> None:
    """Write the file, or the folder, and tell where it is."""
    folder = find(str(config.run)).resolve()
    checkpoint = checkpoint_file(folder, config.checkpoint)
    if config.to == "ctranslate2":
        print(f"model: {convert(config, folder, checkpoint)}")
        return
    from attnlab.cli.weights import SUFFIX, save_weights  # torch takes seconds to import

    output = Path(config.output) if config.output else within(folder, "model.safetensors")
    if output.suffix != SUFFIX:  # by which they are told from checkpoints, of which this may be one
        raise ConfigError(f"output={output}: expected a name that ends in {SUFFIX}")
    require_place(output)
    save_weights(folder, checkpoint, output)
    print(f"weights: {output}")


def convert(config: DictConfig, folder: Path, checkpoint: Path) -> Path:
    """Write the model for CTranslate2."""
    from attnlab.cli.converting import write_ctranslate2
    from attnlab.cli.translating import restored_run

    output = Path(config.output) if config.output else within(folder, "ctranslate2")
    run = restored_run(config, str(folder), str(checkpoint), "cpu")
    write_ctranslate2(run.model, run.source, run.target, folder / "tokenizer", output)
    return output


COMMAND = Command(export, Options, USAGE)


def main() -> None:
    """The console command."""
    launch(COMMAND)
