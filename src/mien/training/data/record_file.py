"""Millions of pictures in one file: their bytes one after the other, read in place.

A file system is slow with millions of small files. A record file holds the encoded pictures as they were, then the
index and the labels as plain arrays, then a JSON header that says where each array lies, then the header's length:

```
MIENREC1 | picture picture ... | arrays | JSON header | uint64 length of the header | MIENREC1
```

All numbers are little-endian. Nothing is loaded when it is opened: index, labels and pictures are mapped, so that all
processes of a machine share one copy.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadInputError
from mien.media.files import check_file, replacing, shown, unreadable, unwritable
from mien.media.image import decode
from mien.records import Image
from mien.training.data.pictures import PictureFiles

_MAGIC = b"MIENREC1"
_LENGTH = struct.Struct("<Q")


def write_records(
    source: PictureFiles, path: str | Path, *, progress: Callable[[int, int], None] | None = None
) -> None:
    """Write the pictures of a source, undecoded, with their names and labels; the file appears whole or not at all.

    Args:
        source: from one of `mien.training.readers`; a set that must not be trained on stays so.
        path: of the record file.
        progress: called with pictures done and pictures in all.

    Raises:
        BadInputError: `file_unreadable`: a picture's file is gone or may not be read.
        UsageError: `file_unwritable`.

    Example:
        >>> from mien.training.readers.identity_folders import identity_folders
        >>> write_records(identity_folders("faces"), "faces.records")  # doctest: +SKIP
    """
    ends = np.empty(len(source) + 1, "<u8")
    try:
        with replacing(path) as temporary, temporary.open("wb") as file:
            file.write(_MAGIC)
            ends[0] = file.tell()
            for index, name in enumerate(source.names):
                file.write(_file_bytes(source.root / name))
                ends[index + 1] = file.tell()
                if progress is not None:
                    progress(index + 1, len(source))
            _finish(file, source, ends)
    except OSError as error:
        raise unwritable(path, error) from error


class RecordFile:
    """The pictures of a record file, as `PictureFiles` gives those of a folder.

    Args:
        path: written by `write_records`.

    Attributes:
        labels, identities, attributes, forbidden: as the source had them.

    Raises:
        BadInputError: `file_missing`, `records_damaged`.
    """

    def __init__(self, path: str) -> None:
        file, _ = check_file(path)
        self._path, self._name = path, shown(file)
        try:
            self._bytes: NDArray[np.uint8] = np.memmap(file, np.uint8, "r")
            header = self._header()
            self._ends = self._array(header["arrays"]["ends"])
            self._name_ends = self._array(header["arrays"]["name_ends"])
            self._names = self._array(header["arrays"]["names"])
            self.labels = {name: self._array(place) for name, place in header["labels"].items()}
            self.identities: list[Any] = header["identities"]
            self.attributes: list[str] = header["attributes"]
            self.forbidden: str | None = header["forbidden"]
        except (ValueError, KeyError, TypeError, struct.error) as error:
            raise BadInputError(
                f"{self._name}: is no whole record file ({error}); write it again with write_records",
                code="records_damaged",
            ) from error

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __reduce__(self) -> tuple[type[RecordFile], tuple[str]]:
        return RecordFile, (self._path,)  # another process maps the file itself

    def name(self, index: int) -> str:
        """The picture's name in the folder that it came from."""
        start, stop = self._name_ends[index], self._name_ends[index + 1]
        return self._names[start:stop].tobytes().decode()

    def picture(self, index: int) -> Image:
        """The picture, RGB uint8 `(H, W, 3)`; all errors of `mien.media.image.decode`."""
        return decode(self._bytes[self._ends[index] : self._ends[index + 1]].tobytes(), name=self.name(index))

    def _header(self) -> dict[str, Any]:
        tail = self._bytes[-len(_MAGIC) - _LENGTH.size :].tobytes()
        if not tail.endswith(_MAGIC) or self._bytes[: len(_MAGIC)].tobytes() != _MAGIC:
            raise ValueError(f"it does not begin and end with {_MAGIC.decode()}")
        (size,) = _LENGTH.unpack(tail[: _LENGTH.size])
        end = len(self._bytes) - len(tail)
        header: dict[str, Any] = json.loads(self._bytes[end - size : end].tobytes())
        return header

    def _array(self, place: Mapping[str, Any]) -> NDArray[Any]:
        kind, shape = np.dtype(place["dtype"]), tuple(place["shape"])
        size = kind.itemsize * int(np.prod(shape))
        return self._bytes[place["start"] : place["start"] + size].view(kind).reshape(shape)


def _file_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error


def _finish(file: BinaryIO, source: PictureFiles, ends: NDArray[Any]) -> None:
    encoded = [name.encode() for name in source.names]
    name_ends = np.cumsum([0, *map(len, encoded)], dtype="<u8")
    header = {
        "arrays": {
            "ends": _place(file, ends),
            "name_ends": _place(file, name_ends),
            "names": _place(file, np.frombuffer(b"".join(encoded), np.uint8)),
        },
        "labels": {name: _place(file, values) for name, values in source.labels.items()},
        "identities": source.identities,
        "attributes": source.attributes,
        "forbidden": source.forbidden,
    }
    text = json.dumps(header).encode()
    file.write(text + _LENGTH.pack(len(text)) + _MAGIC)


def _place(file: BinaryIO, array: NDArray[Any]) -> dict[str, Any]:
    """Write an array where it may be mapped, and say where that is."""
    file.write(b"\0" * (-file.tell() % 16))
    start = file.tell()
    plain = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<")))
    file.write(plain.tobytes())
    return {"dtype": plain.dtype.str, "shape": list(plain.shape), "start": start}
