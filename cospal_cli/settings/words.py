"""Words that several declarations share."""

from __future__ import annotations

# Groups of flags in --help, in their order.
INPUT, FIND, OUTPUT = "Input", "What to find", "Output"
MODELS, TRAINING, SPEED = "Models", "Training", "Speed"
SETTINGS, LOGGING = "Settings", "Logging and help"
GROUPS = (INPUT, FIND, OUTPUT, MODELS, TRAINING, SPEED, SETTINGS, LOGGING)

PRECISIONS = ("auto", "fp32", "fp16", "bf16")
DEVICE = "auto, cpu, cuda or cuda:N"
LARGE_MODEL = "a name of 'cospal models list', a folder, a hub id or a checkpoint"
