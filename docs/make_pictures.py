"""The pictures of the README, from what `make demo` wrote:

make demo && .venv/bin/python docs/make_pictures.py
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mien.media.image import read, write
from mien.media.video import open_video

MOMENTS = (2.9, 4.9, 6.3, 8.6, 9.6, 12.2)
WIDTH = 480


def main() -> None:
    """Six moments of the annotated clip in two rows, and its contact sheet."""
    demo, images = Path("demo-output"), Path("docs/images")
    frames = []
    with open_video(demo / "with_astronaut_annotated.mp4") as video:
        for frame in video:
            if len(frames) < len(MOMENTS) and frame.time >= MOMENTS[len(frames)]:
                size = (WIDTH, WIDTH * video.height // video.width)
                frames.append(cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA))
    rows = [np.hstack(frames[start : start + 3]) for start in (0, 3)]
    write(images / "demo.jpg", np.ascontiguousarray(np.vstack(rows), np.uint8))
    write(images / "sheet.png", read(demo / "with_astronaut_sheet.png"))


if __name__ == "__main__":
    main()
