"""What every page of one file needs: templates, and a policy that names its script and lets nothing else run."""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment(package: str) -> Environment:
    """Templates of the folder ``templates`` of a package; what is not given is an error, and text is escaped."""
    return Environment(
        loader=PackageLoader(package), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def template_file(package: str, name: str) -> str:
    """A file of that folder as it is."""
    return (files(package) / "templates" / name).read_text(encoding="utf-8")


def policy(script: str) -> str:
    """The source list of a content security policy that lets this script run, and no other."""
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"


def languages(config: Mapping[str, Any]) -> tuple[str, str]:
    """BCP 47 tags of source and target where the config has them: one Han character has a form in each country."""
    dataset = config.get("dataset")
    values = [
        dataset.get(f"{side}_language") if isinstance(dataset, Mapping) else None for side in ("source", "target")
    ]
    source, target = (value if isinstance(value, str) and value.isalpha() else "" for value in values)
    return source, target
