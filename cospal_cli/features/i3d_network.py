"""Inception-v1 inflated to three dimensions (I3D), the RGB stream of Kinetics.

Its parameters have the names and shapes of the public checkpoint ``rgb_imagenet.pt``.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FEATURES = 1024
STEP = 8  # frames that one feature stands for
# Channels of each block's branches: 1x1 | 1x1 then 3x3 | 1x1 then 3x3 | pool then 1x1.
BRANCHES = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
# Before the block of this name, a max pool with this kernel and stride (time, height, width).
POOLS = {
    "Conv3d_2b_1x1": ((1, 3, 3), (1, 2, 2)),
    "Mixed_3b": ((1, 3, 3), (1, 2, 2)),
    "Mixed_4b": ((3, 3, 3), (2, 2, 2)),
    "Mixed_5b": ((2, 2, 2), (2, 2, 2)),
}


def same(
    x: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...], fill: float
) -> tuple[Tensor, list[int]]:
    """``x`` (..., T, H, W) and the padding (3) that keeps ceil(size / stride) places, as
    TensorFlow's SAME does: the odd one of an uneven padding comes last and is already in ``x``."""
    before, surplus = [], []
    for size, reach, step in zip(x.shape[-3:], kernel, stride, strict=True):
        total = max((-(-size // step) - 1) * step + reach - size, 0)
        before.append(total // 2)
        surplus.append(total % 2)
    if any(surplus):
        x = F.pad(x, [0, surplus[2], 0, surplus[1], 0, surplus[0]], value=fill)
    return x, before


def pool(x: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    """Maximum over ``kernel``, SAME."""
    x, padding = same(x, kernel, stride, -torch.inf)
    return F.max_pool3d(x, kernel, stride, padding)


class Unit(nn.Module):
    """Convolution SAME, batch norm, ReLU."""

    def __init__(self, inner: int, outer: int, side: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(inner, outer, side, stride, bias=False)
        self.bn = nn.BatchNorm3d(outer, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inner, T, H, W) -> (B, outer, T / stride, H / stride, W / stride), rounded up."""
        conv = self.conv3d
        x, padding = same(x, conv.kernel_size, conv.stride, 0.0)
        x = F.conv3d(x, conv.weight, None, conv.stride, padding)
        return F.relu(self.bn(x), inplace=True)


class Mixed(nn.Module):
    """Four branches side by side."""

    def __init__(self, inner: int, widths: Sequence[int]) -> None:
        super().__init__()
        one, narrow, wide, thin, broad, pooled = widths
        self.b0 = Unit(inner, one)
        self.b1a = Unit(inner, narrow)
        self.b1b = Unit(narrow, wide, 3)
        self.b2a = Unit(inner, thin)
        self.b2b = Unit(thin, broad, 3)
        self.b3b = Unit(inner, pooled)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inner, T, H, W) -> (B, sum of the branches, T, H, W)."""
        pooled = pool(x, (3, 3, 3), (1, 1, 1))
        branches = [self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(pooled)]
        return torch.cat(branches, dim=1)


class Head(nn.Module):
    """The classifier of the checkpoint."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(FEATURES, classes, 1)


class I3D(nn.Module):
    """``forward`` gives the features; the classes' ``logits`` are only kept with the weights."""

    def __init__(self, classes: int = 400) -> None:
        super().__init__()
        self.Conv3d_1a_7x7 = Unit(3, 64, 7, 2)
        self.Conv3d_2b_1x1 = Unit(64, 64)
        self.Conv3d_2c_3x3 = Unit(64, 192, 3)
        width = 192
        for name, widths in BRANCHES.items():
            self.add_module(name, Mixed(width, widths))
            one, _, wide, _, broad, pooled = widths
            width = one + wide + broad + pooled
        self.logits = Head(classes)

    def forward(self, video: Tensor) -> Tensor:
        """RGB in -1..1 (B, 3, T, H, W) -> features (B, T / 8, 1024), rounded up: the maps,
        averaged over the frame."""
        return self.maps(video).mean(dim=(3, 4)).transpose(1, 2)

    def maps(self, video: Tensor) -> Tensor:
        """Likewise -> (B, 1024, T / 8, H / 32, W / 32), rounded up: Mixed_5c."""
        x = video
        for name, block in self.named_children():
            if name in POOLS:
                x = pool(x, *POOLS[name])
            if name != "logits":
                x = block(x)
        return x
