"""What people wear and carry, by Intel's person-attributes-recognition-crossroad-0230.

The network also points at the upper and at the lower clothes; their colours are read from the pixels there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mien.models.catalogue import default
from mien.models.runtime import Session
from mien.person.colour import main_colour
from mien.person.crop import body_crop
from mien.records import Attributes, Float32, Image, Person

_HEIGHT, _WIDTH = 160, 80
_BALANCED = {
    "male": 0.44,
    "bag": 0.35,
    "backpack": 0.30,
    "hat": 0.08,
    "long_sleeves": 0.10,
    "long_trousers": 0.35,
    "long_hair": 0.29,
    "coat": 0.5,
}
"""The network's attributes in its order (its card), and the output at which right answers are as frequent on people who
have the attribute as on those who have not, chosen on the part of PETA that is for choosing. The record's probability
is 0.5 there. Its coat is no better than chance on PETA, and its publisher gives no figure for it: it stays as it is."""
ATTRIBUTES = tuple(_BALANCED)
_PATCH = (12, 8)
"""Half height and half width, in pixels of the crop, of the patch that a colour is read from."""


class AttributeEstimator:
    """Attributes of bodies; safe to call from several threads."""

    def __init__(self) -> None:
        self._session = Session(default("person-attributes"))

    def __call__(self, image: Image, people: Sequence[Person]) -> list[Attributes]:
        """The attributes of the people of one RGB uint8 picture, in their order."""
        return self.of_crops([body_crop(image, person.box, _HEIGHT, _WIDTH) for person in people])

    def of_crops(self, crops: Sequence[Image]) -> list[Attributes]:
        """The attributes of people that fill their pictures, RGB uint8 `(H, W, 3)` of any sizes.

        Example:
            >>> from mien.media.image import read
            >>> AttributeEstimator().of_crops([read("person.png")])[0].upper_colour  # doctest: +SKIP
            'blue'
        """
        if not crops:
            return []
        fitting = [
            crop
            if crop.shape[:2] == (_HEIGHT, _WIDTH)
            else body_crop(crop, np.array([0, 0, crop.shape[1], crop.shape[0]], np.float32), _HEIGHT, _WIDTH)
            for crop in crops
        ]
        outputs = self._session(np.stack(fitting))
        values, upper, lower = (outputs[name].reshape(len(crops), -1) for name in ("453", "456", "459"))
        return [
            Attributes(
                probabilities=dict(zip(ATTRIBUTES, row.tolist(), strict=True)),
                upper_colour=main_colour(_around(crop, above)),
                lower_colour=main_colour(_around(crop, below)),
            )
            for crop, row, above, below in zip(fitting, _rebalanced(values), upper, lower, strict=True)
        ]


def _rebalanced(values: Float32) -> Float32:
    """Outputs `(B, 8)` moved on the scale of log odds so that the balanced ones become 0.5."""
    balance = np.array(list(_BALANCED.values()))
    odds = values * (1 - balance)
    return np.asarray(odds / np.maximum(odds + (1 - values) * balance, 1e-12), np.float32)


def _around(crop: Image, point: Float32) -> Image:
    """The pixels around a point that is given in fractions of the crop; the nearest ones where it lies outside."""
    x, y = np.clip(np.nan_to_num(point, nan=0.5), 0, 1) * (_WIDTH, _HEIGHT)
    top, left = max(0, int(y) - _PATCH[0]), max(0, int(x) - _PATCH[1])
    return crop[top : int(y) + _PATCH[0] + 1, left : int(x) + _PATCH[1] + 1]
