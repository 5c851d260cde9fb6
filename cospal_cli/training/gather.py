"""Tensors of all processes together, gradients included; of this one where it is alone."""

from __future__ import annotations

import torch
from torch import Tensor, distributed
from torch.nn import functional


def processes() -> int:
    """How many train together."""
    return distributed.get_world_size() if _together() else 1


def rank() -> int:
    """The number of this one."""
    return distributed.get_rank() if _together() else 0


def gathered(rows: Tensor) -> Tensor:
    """(W B, ...) from each process's (B, ...), in the order of their ranks.

    The second axis, if there is one, may differ in length and is padded with zeros. The gradient
    of a process's own rows is the sum over all processes.
    """
    if processes() == 1:
        return rows
    from torch.distributed.nn.functional import all_gather

    kind = rows.dtype
    if kind == torch.bool:
        rows = rows.to(torch.uint8)
    if rows.dim() > 1:
        most = torch.tensor(rows.shape[1], device=rows.device)
        distributed.all_reduce(most, distributed.ReduceOp.MAX)
        missing = int(most) - rows.shape[1]
        rows = functional.pad(rows, (0, 0) * (rows.dim() - 2) + (0, missing))
    if rows.requires_grad:
        whole = torch.cat(all_gather(rows.contiguous()))
        whole.register_hook(Tensor.contiguous)  # gloo sends memory as it lies
        return whole
    parts = [torch.empty_like(rows) for _ in range(processes())]
    distributed.all_gather(parts, rows.contiguous())
    return torch.cat(parts).to(kind)


def _together() -> bool:
    return distributed.is_available() and distributed.is_initialized()
