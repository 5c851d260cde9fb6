"""Imports the network of the package groundingdino-py without most of what that asks for.

Its modules import torchvision, timm, OpenCV, matplotlib, pycocotools, addict and yapf at their
top, for drawing and training; to find boxes they need three small functions of timm. And a
torchvision that was built for another torch than the one installed does not load, nor then does
transformers. So stand-ins take these packages' places, while the network is imported.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

from cospal_cli.core.registry import require

_PIP = "pip install --no-deps groundingdino-py==0.4.0"
STOOD_IN = (
    *("torchvision", "torchvision.ops", "torchvision.ops.boxes"),
    *("torchvision.models", "torchvision.models._utils"),
    *("timm", "timm.models", "timm.models.layers"),
    *("matplotlib", "matplotlib.pyplot", "matplotlib.collections", "matplotlib.patches"),
    *("cv2", "pycocotools", "pycocotools.mask", "addict"),
    *("yapf", "yapf.yapflib", "yapf.yapflib.yapf_api"),
)
_TEXT = (  # what they import of transformers
    *("AutoTokenizer", "BertConfig", "BertModel", "BertPreTrainedModel", "BertTokenizer"),
    *("RobertaModel", "RobertaTokenizerFast"),
)


class _StandIn(ModuleType):
    """A module in which every name is a class that cannot be used."""

    __path__: list[str] = []  # noqa: RUF012 - a package, for imports from below it
    __version__ = "0.99"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (_Unusable,), {"__module__": self.__name__})


class _Unusable:
    def __init__(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError(f"{type(self).__module__}.{type(self).__name__} is a stand-in")


@cache
def network_modules() -> ModuleType:
    """The package groundingdino, with the modules of its network in it; UsageError if missing."""
    package = require("groundingdino", "groundingdino", _PIP)
    transformers: Any = require("transformers", "torch")
    for name in _TEXT:  # first: it must not meet the stand-ins
        getattr(transformers, name)
    with _stood_in():
        importlib.import_module("groundingdino.models.GroundingDINO.groundingdino")
    return package


@contextmanager
def _stood_in() -> Iterator[None]:
    """Modules of these packages that are loaded already are put away and come back."""
    torch: Any = require("torch", "torch")
    tops = {name.partition(".")[0] for name in STOOD_IN}
    away = {name: one for name, one in sys.modules.items() if name.partition(".")[0] in tops}
    for name in away:
        del sys.modules[name]
    sys.modules.update({name: _StandIn(name) for name in STOOD_IN})
    layers: Any = sys.modules["timm.models.layers"]
    layers.DropPath = torch.nn.Identity  # what it is outside training
    layers.trunc_normal_ = torch.nn.init.trunc_normal_
    layers.to_2tuple = lambda side: side if isinstance(side, tuple) else (side, side)
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] in tops]:
            del sys.modules[name]
        sys.modules.update(away)
