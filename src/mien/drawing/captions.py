"""Where the label of a box goes, so that labels do not cover each other."""

from __future__ import annotations

from mien.records import Image


def draw_caption(
    image: Image,
    corners: tuple[int, int, int, int],
    bitmap: Image,
    line: int,
    taken: list[tuple[int, int, int, int]],
) -> None:
    """Copy a label to the first place above, below or inside its box that no other label has; else above.

    Args:
        image: RGB uint8 `(H, W, 3)`, changed in place.
        corners: of the box: left, top, right, bottom in pixels.
        bitmap: the label, as of `label_bitmap`.
        line: width of the box's line in pixels.
        taken: the rectangles of the labels drawn so far; this one's is added.
    """
    height, width = image.shape[:2]
    tall, wide = bitmap.shape[0], bitmap.shape[1]
    edge = line // 2 + 1
    x0, y0, _, y1 = corners
    left = max(0, min(x0 - edge, width - wide))
    places = [(left, top) for top in (y0 - edge - tall, y1 + edge + 1, y0 + edge) if 0 <= top <= height - tall]
    free = [place for place in places if not any(_overlap(place, wide, tall, other) for other in taken)]
    left, top = (free or places or [(left, max(0, min(y0, height - tall)))])[0]
    taken.append((left, top, left + wide, top + tall))
    patch = image[top : top + tall, left : left + wide]
    patch[:] = bitmap[: patch.shape[0], : patch.shape[1]]


def _overlap(place: tuple[int, int], wide: int, tall: int, other: tuple[int, int, int, int]) -> bool:
    return place[0] < other[2] and other[0] < place[0] + wide and place[1] < other[3] and other[1] < place[1] + tall
