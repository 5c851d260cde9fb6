"""Trained heads run by torch: a checkpoint's folder, or a model that is being trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cospal_cli.core.errors import WeightsError
from cospal_cli.core.grounding import GroundingInputs, GroundingScores
from cospal_cli.core.head_inputs import collate
from cospal_cli.core.registry import require
from cospal_cli.devices.torch_device import choose
from cospal_cli.model.metadata import HeadsMetadata

if TYPE_CHECKING:
    import torch

    from cospal_cli.model.heads import TrainedHeads


class TorchRuntime:
    """See ``Runtime``. The heads are small: ``auto`` precision is fp32 everywhere."""

    def __init__(self, path: Path, device: str = "auto", precision: str = "auto") -> None:
        """The heads in the folder ``path``.

        Raises UsageError without torch or for an unknown name, WeightsError for a damaged
        checkpoint, DeviceError for a device that is not there.
        """
        from cospal_cli.model.checkpoint import load

        place = choose(device, "fp32" if precision == "auto" else precision)
        model, metadata = load(path, str(place.device))
        self._set(model, metadata, place.dtype)

    @classmethod
    def of(cls, model: TrainedHeads, metadata: HeadsMetadata) -> TorchRuntime:
        """A model as it is, on its device; its training continues unaffected."""
        torch = require("torch", "torch")
        runtime = cls.__new__(cls)
        runtime._set(model, metadata, torch.float32)
        return runtime

    def _set(self, model: TrainedHeads, metadata: HeadsMetadata, dtype: torch.dtype) -> None:
        self.metadata = metadata
        self._model = model
        self._dtype = dtype

    def run(self, inputs: GroundingInputs) -> GroundingScores:
        """See ``Runtime``. WeightsError where the prediction is not finite."""
        torch = require("torch", "torch")
        model = self._model
        device = next(model.parameters()).device
        batch = {
            name: torch.from_numpy(rows).to(device) for name, rows in collate([inputs]).items()
        }
        lower = self._dtype != torch.float32
        training = model.training
        model.eval()
        try:
            with torch.inference_mode(), torch.autocast(device.type, self._dtype, enabled=lower):
                outputs = model(**batch)
        finally:
            model.train(training)
        rows = {name: value[0].float().cpu().numpy() for name, value in outputs._asdict().items()}
        if not all(np.isfinite(row).all() for row in rows.values()):
            raise WeightsError(
                "the heads' prediction is not finite",
                "give --precision fp32, or another checkpoint",
            )
        return GroundingScores(**rows)
