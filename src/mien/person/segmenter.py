"""Which pixels show people, by MediaPipe's selfie segmentation.

The network sees 256 x 256 pixels and its mask is scaled to the picture. A guided filter (He, Sun, Tang, ECCV 2010)
to move its edge to the picture's was tried on composed pictures and gained nothing. GrabCut, and a second look at the
person alone, came a little nearer on textured backgrounds, with harder edges and at ten times the cost.
`benchmarks/segmentation.py` measures the mask on such pictures.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mien.geometry import box_area
from mien.models.catalogue import default
from mien.models.runtime import Session
from mien.person.crop import body_crop
from mien.records import Float32, Image, Person

_SIZE = 256
_CONTEXT = 0.25
"""Of a box's sides, added on each side: the network expects some background around a person."""
_NEAR = 0.25
"""Share of the picture from which a box's person is near enough to be seen in the picture as a whole."""
_FAINT = 0.1
"""What is less a person than this holds nothing together."""
_EDGE = 0.02
"""Of the shorter side: how far a soft edge goes on beyond that."""


class PersonSegmenter:
    """Masks of people; safe to call from several threads."""

    def __init__(self) -> None:
        self._session = Session(default("person-segmentation"))

    def __call__(self, image: Image, people: Sequence[Person] | None = None) -> Float32:
        """How much of each pixel is a person.

        Args:
            image: RGB uint8 `(H, W, 3)`.
            people: look at each of them closely, which those need who are far from the camera, and at nothing that no
                box of them touches; None looks at the picture as a whole.

        Returns:
            float32 `(H, W)` in [0, 1].

        Example:
            >>> from mien.media.image import read
            >>> PersonSegmenter()(read("portrait.jpg")).max()  # doctest: +SKIP
            1.0
        """
        height, width = image.shape[:2]
        whole = (0, 0, width, height)
        boxes = [whole] if people is None else list({_region(person.box, width, height) for person in people})
        boxes = [(left, top, right, bottom) for left, top, right, bottom in boxes if right > left and bottom > top]
        mask = np.zeros((height, width), np.float32)
        if not boxes:
            return mask
        crops = [body_crop(image, np.array(box, np.float32), _SIZE, _SIZE) for box in boxes]
        masks = self._session(np.stack(crops))["mask"][..., 0]
        for (left, top, right, bottom), small in zip(boxes, masks, strict=True):
            part = mask[top:bottom, left:right]
            large = cv2.resize(small, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
            np.maximum(part, np.clip(large, 0, 1), out=part)
        return mask if people is None else _touched(mask, people)


def _touched(mask: Float32, people: Sequence[Person]) -> Float32:
    """The mask without the spots that lie outside all boxes: round things in the background are taken for heads."""
    _, spots = cv2.connectedComponents((mask > _FAINT).astype(np.uint8))
    kept = np.zeros(int(spots.max()) + 1, bool)
    for person in people:
        left, top, right, bottom = np.nan_to_num(person.box).clip(0).astype(int)
        kept[spots[top : bottom + 1, left : right + 1]] = True
    kept[0] = False
    reach = max(3, round(_EDGE * min(mask.shape)))
    near = cv2.dilate(kept[spots].astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    return np.where(near > 0, mask, np.float32(0))


def _region(box: Float32, width: int, height: int) -> tuple[int, int, int, int]:
    """The box with some context, in whole pixels of the picture; all of the picture around one who fills much of it."""
    if box_area(box) >= _NEAR * width * height:
        return 0, 0, width, height
    margin = (box[2:] - box[:2]) * _CONTEXT
    corners = np.concatenate([box[:2] - margin, box[2:] + margin])
    left, top, right, bottom = np.clip(np.nan_to_num(corners), 0, [width, height, width, height]).round().astype(int)
    return int(left), int(top), int(right), int(bottom)
