"""Pictures in and out: bytes, files, Pillow pictures or arrays -> RGB uint8 `HxWx3`, as `mien.media.pixels` says.

Of a JPEG that holds several pictures (MPO) the first one counts; animated and multi-page files are refused.
"""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL.BmpImagePlugin import BmpImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from mien.errors import BadInputError, MienError, UsageError
from mien.media.files import check_file, is_url, natural_key, replacing, shown, unreadable, unwritable
from mien.media.header import HEAD_BYTES, PictureFormat, cut_short, picture_format, webp_size
from mien.media.pixels import from_array, from_pillow
from mien.records import Image
from mien.settings import settings

PictureSource = str | os.PathLike[str] | bytes | PIL.Image.Image | NDArray[Any]
"""What `load` takes as a picture."""

# The classes themselves, not `Image.open`: it would hold its own pixel limit against ours, and try further formats.
_OPENERS: dict[PictureFormat, Callable[[io.BytesIO], PIL.Image.Image]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "WEBP": WebPImageFile,
    "BMP": BmpImageFile,
    "TIFF": TiffImageFile,
}
_TILE_WIDTH_TAG, _TILE_LENGTH_TAG = 322, 323
_MOST_SCANS = 200
"""Scans in a JPEG; each costs a pass over all pixels, and real encoders write about ten."""

_WRITERS = {".png": ("PNG", {}), ".jpg": ("JPEG", {"quality": 95}), ".jpeg": ("JPEG", {"quality": 95})}

_log = logging.getLogger("mien.media.image")


def decode(data: bytes, *, name: str = "picture") -> Image:
    """A picture file's bytes as pixels; JPEG, PNG, WebP, BMP or TIFF by content, never by name.

    Args:
        data: the whole file.
        name: what errors call it.

    Returns:
        RGB uint8 `(H, W, 3)`, C-contiguous, writable.

    Raises:
        BadInputError: `picture_empty`, `picture_too_many_bytes`, `picture_format_unknown`,
            `picture_too_many_pixels` (both limits are checked before decoding), `picture_truncated`,
            `picture_animated`, `picture_mode_unsupported`, `picture_damaged`.

    Example:
        >>> buffer = io.BytesIO()
        >>> PIL.Image.new("RGB", (4, 2), "red").save(buffer, "PNG")
        >>> decode(buffer.getvalue()).shape
        (2, 4, 3)
    """
    if not data:
        raise BadInputError(f"{name}: is empty (0 bytes); give a picture file", code="picture_empty")
    _check_bytes(len(data), name)
    kind = picture_format(data)
    if kind is None:
        raise BadInputError(
            f"{name}: is not a JPEG, PNG, WebP, BMP or TIFF picture (its content counts, not its name); convert it",
            code="picture_format_unknown",
        )
    try:
        if kind == "WEBP":
            _check_pixels(*(webp_size(data[:HEAD_BYTES]) or (0, 0)), name)
        with _OPENERS[kind](io.BytesIO(data)) as picture:
            _check_before_decoding(picture, kind, data, name)
            return from_pillow(picture, name)
    except MienError:
        raise
    except Exception as error:  # hostile bytes make decoders raise anything at all
        if cut_short(kind, data) or "truncated" in str(error).lower():
            raise BadInputError(
                f"{name}: this {kind} file is cut short at {len(data)} bytes; get the whole file",
                code="picture_truncated",
            ) from error
        raise BadInputError(
            f"{name}: this {kind} file is damaged ({error}); save it again with another program",
            code="picture_damaged",
        ) from error


def read(path: str | os.PathLike[str]) -> Image:
    """A picture file as RGB uint8 `(H, W, 3)`; its size is checked before it is read.

    Raises:
        BadInputError: `file_missing`, `file_is_directory`, `file_unreadable`, and all of `decode`.
    """
    file, size = check_file(path)
    _check_bytes(size, shown(file))
    try:
        with file.open("rb") as stream:
            data = stream.read(settings().picture_bytes + 1)  # it may have grown since
    except OSError as error:
        raise unreadable(file, error) from error
    return decode(data, name=shown(file))


def load(source: PictureSource, *, bgr: bool = False) -> Image:
    """A picture from whatever holds one, as RGB uint8 `(H, W, 3)`, C-contiguous.

    Args:
        source: a path, a file's bytes, a Pillow picture, or a uint8 array: `(H, W, 3)` RGB or `(H, W)` grey.
            An RGB array that is C-contiguous already is returned itself, not copied.
        bgr: the array's channels are blue, green, red, as OpenCV has them.

    Raises:
        BadInputError: `picture_array` for an array of another shape or type, `picture_empty`, and all of `read`.
        UsageError: `url_refused` (nothing is fetched by URL), `picture_source` for another type, `bgr_without_array`.
    """
    if isinstance(source, np.ndarray):
        return from_array(source, bgr=bgr)
    if bgr:
        raise UsageError(
            f"bgr=True is for arrays; a {type(source).__name__} says itself how its colours are ordered: leave it out",
            code="bgr_without_array",
        )
    if isinstance(source, bytes):
        return decode(source)
    if isinstance(source, PIL.Image.Image):
        return _from_pillow(source)
    if not isinstance(source, (str, os.PathLike)):
        raise UsageError(
            f"a picture cannot be loaded from {type(source).__name__}; expected a path, bytes, a Pillow picture or a "
            "uint8 array",
            code="picture_source",
        )
    if is_url(source):
        raise UsageError("pictures are not fetched by URL; download it and give the file", code="url_refused")
    return read(source)


def find_pictures(folder: str | os.PathLike[str], *, recursive: bool = False) -> list[Path]:
    """The picture files of a folder, by content, in natural order (`frame2` before `frame10`).

    Hidden files and folders are skipped; a file that cannot be read is skipped with a warning in the log.

    Args:
        folder: where to look.
        recursive: look into sub-folders too; links to folders are not followed.

    Raises:
        BadInputError: `file_missing`, `folder_expected`, `file_unreadable`.
    """
    root = Path(folder)
    found: list[Path] = []
    try:
        if not root.exists():
            raise BadInputError(f"{shown(root)}: no such folder; check the path", code="file_missing")
        if not root.is_dir():
            raise BadInputError(f"{shown(root)}: is a file; a folder is expected", code="folder_expected")
        os.scandir(root).close()
    except (OSError, ValueError) as error:
        raise unreadable(root, error) from error
    for parent, folders, files in os.walk(root):
        folders[:] = [name for name in folders if recursive and not name.startswith(".")]
        candidates = (Path(parent, name) for name in files if not name.startswith("."))
        found.extend(path for path in candidates if _is_picture(path))
    return sorted(found, key=natural_key)


def write(path: str | os.PathLike[str], image: Image) -> None:
    """Write RGB uint8 `(H, W, 3)` as PNG or JPEG (quality 95) by the name's suffix; the file appears whole or not.

    Raises:
        UsageError: `picture_suffix`, `file_unwritable`.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITERS:
        raise UsageError(
            f"{shown(path)}: pictures are written as .png, .jpg or .jpeg, not {suffix or 'without a suffix'}",
            code="picture_suffix",
        )
    kind, options = _WRITERS[suffix]
    try:
        with replacing(path) as temporary:
            PIL.Image.fromarray(image).save(temporary, format=kind, **options)
    except OSError as error:
        raise unwritable(path, error) from error


def _is_picture(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            return picture_format(stream.read(HEAD_BYTES)) is not None
    except OSError as error:
        _log.warning("%s: skipped, it cannot be read (%s)", shown(path), error.strerror)
        return False


def _check_bytes(size: int, name: str) -> None:
    most = settings().picture_bytes
    if size > most:
        raise BadInputError(
            f"{name}: has {size} bytes, at most {most} are taken; make it smaller or raise MIEN_PICTURE_BYTES",
            code="picture_too_many_bytes",
        )


def _check_pixels(width: int, height: int, name: str) -> None:
    most = settings().picture_pixels
    if width * height > most:
        raise BadInputError(
            f"{name}: has {width} x {height} pixels, at most {most} in all are taken; make it smaller or raise "
            "MIEN_PICTURE_PIXELS",
            code="picture_too_many_pixels",
        )


def _check_before_decoding(picture: PIL.Image.Image, kind: PictureFormat, data: bytes, name: str) -> None:
    """What the header tells: size, number of pictures, and numbers that would make decoding cost more than that."""
    _check_pixels(*picture.size, name)
    if getattr(picture, "is_animated", False):
        raise BadInputError(
            f"{name}: this {kind} file holds several pictures (animation or pages); save the one that is meant",
            code="picture_animated",
        )
    if isinstance(picture, TiffImageFile):
        tags = picture.tag_v2  # a tile larger than the picture costs its own size to decode
        _check_pixels(tags.get(_TILE_WIDTH_TAG, 1), tags.get(_TILE_LENGTH_TAG, 1), name)
    if kind == "JPEG" and data.count(b"\xff\xda") > _MOST_SCANS:
        raise BadInputError(
            f"{name}: this JPEG file has more than {_MOST_SCANS} scans; save it again with another program",
            code="picture_damaged",
        )


def _from_pillow(picture: PIL.Image.Image) -> Image:
    name = shown(str(getattr(picture, "filename", "") or "picture"))
    _check_pixels(*picture.size, name)
    try:
        return from_pillow(picture, name)
    except MienError:
        raise
    except Exception as error:  # a lazily opened file is only decoded now
        raise BadInputError(f"{name}: cannot be decoded ({error})", code="picture_damaged") from error
