"""What a multirun leaves in its folder, besides those of its jobs."""

COMMAND = "command.json"  #: what was typed: {"overrides": […]}
HYDRAS = "multirun.yaml"  #: the record of Hydra's own sweeper; of a multirun of an early version there is no other
STARTED = (COMMAND, HYDRAS)  #: of these each multirun has one
