"""What a report or a workspace of W&B's names: read from what is sent, held against what runs have uploaded."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from wandb_stand_in import Run


def panels(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The panels of a report, or of a workspace, in their order."""
    grids = [block["metadata"]["panelBankSectionConfig"] for block in spec.get("blocks", ())
             if block["type"] == "panel-grid"]  # fmt: skip
    sections = grids or spec["section"]["panelBankConfig"]["sections"]
    return (panel for section in sections for panel in section["panels"])


def lacking(spec: dict[str, Any], runs: Iterable[Run]) -> list[str]:
    """What a view names and no run has: a panel without it is empty."""
    there = list(runs)
    history = {key for run in there for row in run.rows("wandb-history.jsonl") for key in row}
    kinds = {key: value["_type"] for run in there for row in run.rows("wandb-history.jsonl")
             for key, value in row.items() if isinstance(value, dict)}  # fmt: skip
    summary = {key for run in there for key in run.summary}
    settings = {f"{key}.{inner}" for run in there for key, node in json.loads(run.told["config"]).items()
                for inner in node}  # fmt: skip
    found = []
    for panel in panels(spec):
        kind, config = panel["viewType"], {key: value for key, value in panel["config"].items() if value}
        if kind == "Run History Line Plot":
            found += [(f"history {key}", key in history) for key in (config["xAxis"], *config["metrics"])]
        elif kind == "Bar Chart":
            found += [(f"summary {key}", key in summary) for key in config["metrics"]]
        elif kind == "Scatter Plot":
            axes = [config[axis].removeprefix("summary:") for axis in ("xAxis", "yAxis")]
            found += [(f"summary {key}", key in summary) for key in axes]
        elif kind == "Media Browser":
            shown = ("images/separated", "html-file")
            found += [(f"medium {key}", kinds.get(key) in shown) for key in config["mediaKeys"]]
        elif kind == "Weave":
            key = config["panel2Config"]["exp"]["fromOp"]["inputs"]["key"]["val"]
            found.append((f"table {key}", kinds.get(key) == "table-file"))
        else:
            found.append((f"a kind that nobody knows, {kind}", False))
        if "groupBy" in config:
            found.append((f"setting {config['groupBy']}", config["groupBy"] in settings))
    assert found
    return [told for told, there in found if not there]
