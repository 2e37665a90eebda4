"""Takes MediaPipe's own layer off the end of a TFLite file, so that a runtime which does not know it reads the rest.

Selfie segmentation ends in `Convolution2DTransposeBias`, an operation of MediaPipe's that OpenVINO has no translator
for, and a sigmoid. The file is a FlatBuffer: the two last operations go by shortening the vector of operations in
place, and the graph's output becomes what they took. What they computed is given back, to be put there by other means.

Field numbers are those of TensorFlow Lite's schema.fbs: Model.operator_codes = 1, subgraphs = 2, buffers = 4;
SubGraph.tensors = 0, outputs = 2, operators = 3; Operator.opcode_index = 0, inputs = 1, outputs = 2,
custom_options = 5; OperatorCode.deprecated_builtin_code = 0, custom_code = 1; Tensor.shape = 0, type = 1, buffer = 2;
Buffer.data = 0.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mien.records import Float32

LAYER = b"Convolution2DTransposeBias"
_LOGISTIC = 14
_FLOAT16 = 1
_OPTIONS = struct.pack("<3I", 1, 2, 2)
"""Padding "same" and a stride of 2 both ways, the one form that is known here."""


class Tail(NamedTuple):
    """A transposed convolution of stride 2, a bias and a sigmoid.

    Attributes:
        kernel: float32 `(O, 2, 2, I)`.
        bias: float32 `(O,)`.
    """

    kernel: Float32
    bias: Float32


def cut_tail(tflite: bytes) -> tuple[bytes, Tail | None]:
    """The file without its last two operations, and what they were; None and the file as it is without such a layer.

    Raises:
        ValueError: the layer is there in another form or at another place than in selfie segmentation.
    """
    if LAYER not in tflite:
        return tflite, None
    flat = _FlatBuffer(tflite)
    root = flat.follow(0)
    graph = flat.tables(root, 2)[0]
    tensors, operations = flat.tables(graph, 0), flat.tables(graph, 3)
    layer, last = operations[-2:]
    codes = flat.tables(root, 1)
    if flat.text(codes[flat.number(layer, 0)], 1) != LAYER or flat.byte(codes[flat.number(last, 0)], 0) != _LOGISTIC:
        raise ValueError(f"{LAYER.decode()} is not the last layer but one, before a sigmoid")
    if flat.text(layer, 5) != _OPTIONS:
        raise ValueError(f"{LAYER.decode()} has other options than padding 'same' and stride 2")
    source, kernel, bias = flat.numbers(layer, 1)
    buffers = flat.tables(root, 4)
    # Half-precision weights pass through an operation that makes them float32: what it takes is what the file holds.
    behind = {flat.numbers(made, 2)[0]: flat.numbers(made, 1)[0] for made in operations}
    weights = [flat.half_precision(tensors[behind[place]], buffers) for place in (kernel, bias)]
    shortened = bytearray(tflite)
    struct.pack_into("<I", shortened, flat.vector(graph, 3).start - 4, len(operations) - 2)
    struct.pack_into("<i", shortened, flat.vector(graph, 2).start, source)
    return bytes(shortened), Tail(*weights)


@dataclass(frozen=True, slots=True)
class _FlatBuffer:
    """Reads tables of a FlatBuffer: a table starts with the distance back to its list of field places."""

    content: bytes

    def follow(self, at: int) -> int:
        return at + self._value("<I", at)

    def field(self, table: int, number: int) -> int | None:
        """Where a field of a table lies; None where it has its default."""
        places = table - self._value("<i", table)
        entry = 4 + 2 * number
        offset = self._value("<H", places + entry) if entry < self._value("<H", places) else 0
        return table + offset if offset else None

    def vector(self, table: int, number: int, size: int = 4) -> range:
        """Places of the entries of a vector of `size` bytes each."""
        place = self.field(table, number)
        if place is None:
            return range(0)
        start = self.follow(place) + 4
        return range(start, start + size * self._value("<I", start - 4), size)

    def tables(self, table: int, number: int) -> list[int]:
        return [self.follow(at) for at in self.vector(table, number)]

    def numbers(self, table: int, number: int) -> list[int]:
        return [self._value("<i", at) for at in self.vector(table, number)]

    def number(self, table: int, number: int) -> int:
        place = self.field(table, number)
        return 0 if place is None else self._value("<I", place)

    def byte(self, table: int, number: int) -> int:
        place = self.field(table, number)
        return 0 if place is None else self.content[place]

    def text(self, table: int, number: int) -> bytes:
        places = self.vector(table, number, 1)
        return self.content[places.start : places.stop]

    def half_precision(self, tensor: int, buffers: list[int]) -> Float32:
        """The constant of a float16 tensor, as float32 in its shape."""
        if self.byte(tensor, 1) != _FLOAT16:
            raise ValueError(f"{LAYER.decode()} has weights that are not float16")
        values = np.frombuffer(self.text(buffers[self.number(tensor, 2)], 0), "<f2")
        return values.reshape(self.numbers(tensor, 0)).astype(np.float32)

    def _value(self, form: str, at: int) -> int:
        return int(struct.unpack_from(form, self.content, at)[0])
