"""What ``print_config=true`` shows."""

from omegaconf import OmegaConf

from attnlab.cli.tree import FILE, print_config


def test_a_part_is_told_once_and_a_value_wherever_it_stands(tmp_path):
    config = OmegaConf.create({
        "paths": {"run": "/here"},
        "optimizer": {"_target_": "torch.optim.SGD", "_partial_": True, "lr": 0.5},
        "task": {"optimizer": "${optimizer}", "rate": "${optimizer.lr}", "path": "${paths.run}/x", "none": {}},
        "plugins": [{"_target_": "mine.Plugin"}],
    })  # fmt: skip
    print_config(config, tmp_path)
    assert (tmp_path / FILE).read_text("utf-8").rstrip().splitlines() == [
        "configuration",
        "├── paths",
        "│   └── run: /here",
        "├── optimizer: torch.optim.SGD",
        "│   └── lr: 0.5",
        "├── task",
        "│   ├── optimizer: ${optimizer}",
        "│   ├── rate: 0.5",
        "│   ├── path: ${paths.run}/x",
        "│   └── none: {}",
        "└── plugins",
        "    └── 0: mine.Plugin",
    ]
