"""Opens the fixed dimensions of an ONNX file's inputs and outputs, so that ONNX Runtime takes any batch and picture.

Publishers often export with a batch of one and one picture size though the graph holds for any. OpenVINO can reshape
such a graph, ONNX Runtime cannot. Only the shape records are rewritten here (protobuf wire format; field numbers from
onnx.proto: ModelProto.graph = 7, GraphProto.input = 11, output = 12, value_info = 13, ValueInfoProto.type = 2,
TypeProto.tensor_type = 1, Tensor.shape = 2, TensorShapeProto.dim = 1, Dimension.dim_value = 1, dim_param = 2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

_GRAPH, _INPUT, _OUTPUT, _VALUE_INFO = 7, 11, 12, 13


def open_dimensions(onnx: bytes, *, picture: bool) -> bytes:
    """The file with an open batch dimension, and open height and width where `picture` is true.

    Shapes of the outputs and of inner values are dropped: ONNX Runtime infers them.

    Args:
        onnx: an ONNX model whose first input is `(N, 3, H, W)`.
        picture: whether the network takes pictures of any size.
    """
    return b"".join(
        _field(number, wire, _graph(value, picture) if number == _GRAPH else value)
        for number, wire, value in _walk(onnx)
    )


def _graph(graph: bytes, picture: bool) -> bytes:
    parts = []
    for number, wire, value in _walk(graph):
        if number == _VALUE_INFO:
            continue
        if number == _INPUT:
            value = _inside(value, (2, 1, 2), lambda shape: _open(shape, (0, 2, 3) if picture else (0,)))
        elif number == _OUTPUT:
            value = _inside(value, (2, 1, 2), lambda shape: _open(shape, (0, 1, 2, 3, 4)))
        parts.append(_field(number, wire, value))
    return b"".join(parts)


def _inside(message: bytes, path: tuple[int, ...], change: Callable[[bytes], bytes]) -> bytes:
    """Apply `change` to the message that lies below `path`."""
    if not path:
        return change(message)
    return b"".join(
        _field(number, wire, _inside(value, path[1:], change) if number == path[0] else value)
        for number, wire, value in _walk(message)
    )


def _open(shape: bytes, axes: tuple[int, ...]) -> bytes:
    parts = []
    for axis, (number, wire, value) in enumerate(_walk(shape)):
        name = f"axis{axis}".encode()
        parts.append(_field(number, wire, _field(2, 2, name) if axis in axes else value))
    return b"".join(parts)


def _walk(message: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Fields of a protobuf message as (number, wire type, raw value)."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        start = at
        if wire == 0:
            _, at = _varint(message, at)
        elif wire == 1:
            at += 8
        elif wire == 5:
            at += 4
        elif wire == 2:
            length, start = _varint(message, at)
            at = start + length
        else:
            raise ValueError(f"not a protobuf message: wire type {wire} at byte {at}")
        yield number, wire, message[start:at]


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _field(number: int, wire: int, value: bytes) -> bytes:
    head = _encode(number << 3 | wire)
    return head + (_encode(len(value)) + value if wire == 2 else value)


def _encode(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
