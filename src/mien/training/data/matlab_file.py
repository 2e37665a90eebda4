"""The label files that MATLAB wrote (`.mat`, version 5 to 7), as far as data sets use them.

MathWorks, "MAT-File Format", R2024a. Numbers, text, cells and structs are read; sparse arrays and objects are not.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mien.errors import BadInputError
from mien.media.files import shown, unreadable

_NUMBERS = {1: "i1", 2: "u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<f4", 9: "<f8", 12: "<i8", 13: "<u8"}
_MATRIX, _COMPRESSED, _UTF8, _UTF16 = 14, 15, 16, 17
_CELL, _STRUCT, _CHAR = 1, 2, 4
_FIRST_NUMERIC, _LAST_NUMERIC = 6, 15
_HEADER_BYTES = 128
_DEEPEST = 16


def read_matlab(path: Path) -> dict[str, Any]:
    """The variables of a file by name.

    Returns:
        Numbers as arrays, text as `str`, a cell array as an array of objects, a struct as a dict (an array of structs
        as an array of dicts); arrays have MATLAB's shape, never fewer than two dimensions.

    Raises:
        BadInputError: `file_unreadable`; `matlab_damaged`: not such a file, or one that is cut short.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    if data[126:128] != b"IM":
        raise BadInputError(
            f"{shown(path)}: is no MATLAB file of version 5 to 7; save it in MATLAB with -v7", code="matlab_damaged"
        )
    try:
        return {
            name: value for kind, content in _elements(data[_HEADER_BYTES:]) for name, value in [_top(kind, content)]
        }
    except (struct.error, zlib.error, ValueError, IndexError, KeyError) as error:
        raise BadInputError(
            f"{shown(path)}: cannot be read as a MATLAB file ({error})", code="matlab_damaged"
        ) from error


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and content of the elements one after the other, with their padding dropped."""
    place = 0
    while place + 8 <= len(data):
        kind, size = struct.unpack_from("<II", data, place)
        if kind >> 16:  # a small element: type and size share four bytes, the content has the other four
            kind, size, start, following = kind & 0xFFFF, kind >> 16, place + 4, place + 8
        else:
            start = place + 8
            following = start + size + (0 if kind == _COMPRESSED else -size % 8)
        if start + size > len(data):
            raise ValueError("it is cut short")
        yield kind, data[start : start + size]
        place = following


def _top(kind: int, content: bytes) -> tuple[str, Any]:
    if kind == _COMPRESSED:
        kind, content = next(_elements(zlib.decompress(content)))
    if kind != _MATRIX:
        raise ValueError(f"element of type {kind} where a variable should be")
    return _matrix(content, 0)


def _matrix(content: bytes, depth: int) -> tuple[str, Any]:
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    if not content:
        return "", np.empty((0, 0))
    pieces = list(_elements(content))
    kind = pieces[0][1][0]
    shape = tuple(int(size) for size in np.frombuffer(pieces[1][1], "<i4"))
    name = pieces[2][1].decode("latin-1")
    rest = pieces[3:]
    if kind == _CELL:
        return name, _shaped([_matrix(inner, depth + 1)[1] for _, inner in rest], shape)
    if kind == _STRUCT:
        width = int(np.frombuffer(rest[0][1], "<i4")[0])
        text = rest[1][1]
        fields = [text[start : start + width].split(b"\0")[0].decode() for start in range(0, len(text), width)]
        values = [_matrix(inner, depth + 1)[1] for _, inner in rest[2:]]
        count = int(np.prod(shape))
        records = [dict(zip(fields, values[at * len(fields) :], strict=False)) for at in range(count)]
        return name, records[0] if count == 1 else _shaped(records, shape)
    if kind == _CHAR:
        return name, _text(*rest[0]) if rest else ""
    if _FIRST_NUMERIC <= kind <= _LAST_NUMERIC:
        number, raw = rest[0]
        return name, np.frombuffer(raw, _NUMBERS[number]).reshape(shape, order="F")
    raise ValueError(f"an array of class {kind}, which no data set of ours has")


def _text(kind: int, raw: bytes) -> str:
    if kind == _UTF8:
        return raw.decode()
    return raw.decode("utf-16-le") if kind in (_UTF16, 4) else raw.decode("latin-1")


def _shaped(values: list[Any], shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.object_]]:
    result = np.empty(len(values), object)
    result[:] = values
    return result.reshape(shape, order="F")
