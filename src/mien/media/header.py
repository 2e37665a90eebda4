"""What a picture file says about itself before anything is decoded: format, size, whether its end is there."""

from __future__ import annotations

from typing import Literal

PictureFormat = Literal["JPEG", "PNG", "WEBP", "BMP", "TIFF"]

HEAD_BYTES = 32
"""As many bytes from the start of a file as the functions below need."""

_TIFF_MAGIC = (b"II\x2a\x00", b"MM\x00\x2a", b"II\x2b\x00", b"MM\x00\x2b")


def picture_format(head: bytes) -> PictureFormat | None:
    """The format by content, from the first bytes of the file; None for everything else.

    Example:
        >>> picture_format(b"BM" + bytes(30))
        'BMP'
    """
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head.startswith(b"BM"):
        return "BMP"
    if head.startswith(_TIFF_MAGIC):
        return "TIFF"
    return None


def webp_size(head: bytes) -> tuple[int, int] | None:
    """Width and height of a WebP file from its first 32 bytes; None where they are not there.

    Pillow makes the decoder, and the decoder its canvas, while the file is opened: the size has to be known earlier.
    RFC 9649, sections 2.5 to 2.7.
    """
    kind = head[12:16]
    if len(head) < 30:
        return None
    if kind == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF
    return None


def cut_short(kind: PictureFormat, data: bytes) -> bool:
    """Whether the end of a damaged file is missing, as far as its own lengths and end marks tell."""
    if kind == "PNG":
        return _png_cut_short(data)
    if kind == "JPEG":
        return data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda") or b"\xff\xda" not in data
    if kind == "WEBP":
        return 8 + int.from_bytes(data[4:8], "little") > len(data)
    if kind == "BMP":
        return int.from_bytes(data[2:6], "little") > len(data)
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    return int.from_bytes(data[4:8], order) >= len(data)


def _png_cut_short(data: bytes) -> bool:
    """Follow the chunks; a whole file comes to IEND before its bytes run out."""
    position = 8
    while position + 12 <= len(data):
        if data[position + 4 : position + 8] == b"IEND":
            return False
        position += 12 + int.from_bytes(data[position : position + 4], "big")
    return True
