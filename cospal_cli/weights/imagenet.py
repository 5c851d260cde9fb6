"""The 1000 classes of ImageNet-1k, in the order of the appearance classifier's outputs."""

from __future__ import annotations

import json
from functools import cache

from cospal_cli import weights


@cache
def names() -> tuple[str, ...]:
    """Every class as its comma-separated synonyms, the commonest first: "sax, saxophone".

    Raises WeightsError if the list is missing or damaged.
    """
    return tuple(json.loads(weights.path("imagenet_classes").read_text(encoding="utf-8")))
