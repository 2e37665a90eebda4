"""An anchor-free detector of the YuNet family: faces with five landmarks, or people without.

Wu, Peng, Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 20, 2023. Three maps at
strides 8, 16 and 32, fused from coarse to fine; each cell says whether it holds an object, how good its box is, where
the box is and, for faces, where the landmarks are.

What a cell at column i, row j of stride s says, and `mien.face.detector.decode` reads:
box centre = ((i, j) + bbox[:2]) * s, box size = exp(bbox[2:]) * s, landmark = ((i, j) + point) * s,
score = sqrt(cls * obj).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDES = (8, 16, 32)

_NECK = 64
_PRIOR = 0.01
"""Share of cells that a fresh network takes for objects; without it the many empty cells drown the first steps."""


class AnchorFreeDetector(nn.Module):
    """The detector.

    Parameters: 54,608 for faces in the published, depthwise form (YuNet-s of the authors' table); 0.39 million in the
    dense form, which a CPU trains as fast and which learns faster.

    Args:
        landmarks: points of each object: 5 for faces, 0 for people.
        dense: 3x3 convolutions over all channels in place of pointwise and depthwise ones.

    Attributes:
        output_names: of what eval mode gives, in its order: `cls_8`, `cls_16`, ..., `kps_32`.

    Example:
        >>> [tuple(output.shape) for output in AnchorFreeDetector().eval()(torch.zeros(1, 3, 64, 64))][:3]
        [(1, 64, 1), (1, 16, 1), (1, 4, 1)]
    """

    def __init__(self, landmarks: int = 5, *, dense: bool = False) -> None:
        super().__init__()
        self.landmarks = landmarks
        kinds = ("cls", "obj", "bbox", "kps") if landmarks else ("cls", "obj", "bbox")
        self.output_names = tuple(f"{kind}_{stride}" for kind in kinds for stride in STRIDES)
        self.stages, widths = _dense_stages() if dense else _light_stages()
        self.laterals = nn.ModuleList(
            nn.Identity() if width == _NECK else nn.Conv2d(width, _NECK, 1) for width in widths
        )
        unit = _dense_unit if dense else _light_unit
        self.necks = nn.ModuleList(unit(_NECK, _NECK) for _ in STRIDES)
        sizes = (1, 1, 4, 2 * landmarks) if landmarks else (1, 1, 4)
        head = _dense_head if dense else _light_head
        self.heads = nn.ModuleList(nn.ModuleList(head(_NECK, size) for size in sizes) for _ in STRIDES)
        self._initialize()

    def raw(self, images: Tensor) -> list[Tensor]:
        """What the cells say before any sigmoid, of images `(B, 3, H, W)` with sides that 32 divides.

        Returns:
            For each stride `(B, H/s * W/s, 6 + 2 * landmarks)`: cls and obj as logits, box (4), points; row by row.
        """
        maps = []
        for stage in self.stages:
            images = stage(images)
            maps.append(images)
        above: Tensor | None = None
        fused: list[Tensor] = []
        for level in reversed(range(len(maps))):
            merged = self.laterals[level](maps[level])
            if above is not None:
                merged = merged + functional.interpolate(above, scale_factor=2.0, mode="nearest")
            above = self.necks[level](merged)
            fused.insert(0, above)
        return [
            torch.cat([head(level) for head in heads.children()], 1).flatten(2).transpose(1, 2)
            for level, heads in zip(fused, self.heads, strict=True)
        ]

    def forward(self, images: Tensor) -> list[Tensor] | tuple[Tensor, ...]:
        """Training mode: as `raw`. Eval mode: tensors `(B, N, 1 | 1 | 4 | 2 * landmarks)`, named by `output_names`,
        cls and obj in [0, 1]."""
        levels = self.raw(images)
        if self.training:
            return levels
        named = [
            *(level[..., 0:1].sigmoid() for level in levels),
            *(level[..., 1:2].sigmoid() for level in levels),
            *(level[..., 2:6] for level in levels),
        ]
        if self.landmarks:
            named += [level[..., 6:] for level in levels]
        return tuple(named)

    def _initialize(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                module.weight.data.mul_(module.groups**0.5)  # fan_out counts all groups' channels
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        bias = torch.logit(torch.tensor(_PRIOR)).item()
        for heads in self.heads:
            for place, head in enumerate(heads.children()):
                *_, last = (module for module in head.modules() if isinstance(module, nn.Conv2d))
                nn.init.normal_(last.weight, 0, 0.01)
                if place < 2 and last.bias is not None:
                    nn.init.constant_(last.bias, bias)


def _light_stages() -> tuple[nn.ModuleList, tuple[int, ...]]:
    """YuNet-s: maps at strides 8, 16 and 32 and their widths."""
    return nn.ModuleList(
        [
            nn.Sequential(
                _first(16),
                _light_unit(16, 16),
                nn.MaxPool2d(2),
                *_light_units(16, 16, 32, 32, 64),
                nn.MaxPool2d(2),
                *_light_units(64, 64, 64),
            ),
            nn.Sequential(nn.MaxPool2d(2), *_light_units(64, 64, 64)),
            nn.Sequential(nn.MaxPool2d(2), *_light_units(64, 64, 64)),
        ]
    ), (64, 64, 64)


def _dense_stages() -> tuple[nn.ModuleList, tuple[int, ...]]:
    """The same depth with 3x3 convolutions over all channels, narrower where the maps are large."""
    return nn.ModuleList(
        [
            nn.Sequential(
                _first(16),
                _dense_unit(16, 24, 2),
                _dense_unit(24, 24),
                _dense_unit(24, 48, 2),
                _dense_unit(48, 48),
                _dense_unit(48, 48),
            ),
            nn.Sequential(_dense_unit(48, 64, 2), _dense_unit(64, 64), _dense_unit(64, 64)),
            nn.Sequential(_dense_unit(64, 64, 2), _dense_unit(64, 64), _dense_unit(64, 64)),
        ]
    ), (48, 64, 64)


def _first(wanted: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, wanted, 3, 2, 1), nn.BatchNorm2d(wanted), nn.ReLU(inplace=True))


def _light_units(*widths: int) -> list[nn.Module]:
    return [_light_unit(given, wanted) for given, wanted in pairwise(widths)]


def _light_unit(given: int, wanted: int) -> nn.Sequential:
    """Pointwise, then depthwise: YuNet's block."""
    return nn.Sequential(*_light_head(given, wanted), nn.BatchNorm2d(wanted), nn.ReLU(inplace=True))


def _light_head(given: int, wanted: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(given, wanted, 1), nn.Conv2d(wanted, wanted, 3, 1, 1, groups=wanted))


def _dense_unit(given: int, wanted: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(given, wanted, 3, stride, 1, bias=False), nn.BatchNorm2d(wanted), nn.ReLU(inplace=True)
    )


def _dense_head(given: int, wanted: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(given, wanted, 1))
