"""The template's bytes: how a feature travels between programs and rests in a gallery.

Little-endian: magic `MIEN`, format version u8, element type u8 (0 float32, 1 float16, 2 int8), dimension u16,
quality u16 (0-65535 for [0, 1]), reserved u16 (zero), model fingerprint (16 bytes), then the elements.
"""

from __future__ import annotations

import struct
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadInputError
from mien.records import Float32, Template

FINGERPRINT_BYTES = 16

_HEADER = struct.Struct("<4sBBHHH16s")
_MAGIC = b"MIEN"
_VERSION = 1
_CODES = {"float32": 0, "float16": 1, "int8": 2}
_DTYPES = ("<f4", "<f2", "<i1")
_LARGEST_DIMENSION = 0xFFFF
_LARGEST_QUALITY = 0xFFFF
_UNIT_TOLERANCE = 1e-6


def encode(template: Template, element: Literal["float32", "float16", "int8"] = "float32") -> bytes:
    """A template as bytes: 28 of header, then 4, 2 or 1 for each element.

    int8 elements are the vector times 127 / max|x|, rounded; the factor is lost and not needed, as `decode`
    normalizes again.

    Args:
        template: vector `(D,)` with 1 <= D <= 65535, finite and not zero; fingerprint of 16 bytes; quality in [0, 1].
        element: what an element is stored as; only float32 keeps a normalized vector bit for bit.

    Raises:
        BadInputError: `template_dimension`, `template_not_finite`, `template_zero`, `template_fingerprint` or
            `template_quality`.

    Example:
        >>> vector = np.array([0.6, 0.8], np.float32)
        >>> data = encode(Template(vector, fingerprint=bytes(16), quality=1.0))
        >>> len(data), decode(data).vector
        (36, array([0.6, 0.8], dtype=float32))
    """
    vector = unit(template.vector)
    check_fingerprint(template.fingerprint)
    if not 0 <= template.quality <= 1:
        raise BadInputError(
            f"the template's quality is {template.quality}; expected a number from 0 to 1", code="template_quality"
        )
    stored = np.rint(vector * (127 / np.abs(vector).max())) if element == "int8" else vector
    code = _CODES[element]
    header = _HEADER.pack(
        _MAGIC,
        _VERSION,
        code,
        len(vector),
        round(template.quality * _LARGEST_QUALITY),
        0,
        template.fingerprint,
    )
    return header + stored.astype(_DTYPES[code]).tobytes()


def decode(data: bytes) -> Template:
    """The template in `data`, its vector float32 and L2-normalized.

    Every byte counts: another magic, version or element type, a reserved field that is not zero, a length that is
    not exactly what the header says, and elements that are not finite or all zero are refused.

    Raises:
        BadInputError: `template_truncated`, `template_magic`, `template_version`, `template_element`,
            `template_reserved`, `template_dimension`, `template_length`, `template_not_finite` or `template_zero`.
    """
    if len(data) < _HEADER.size:
        raise BadInputError(
            f"the template has {len(data)} bytes; its header alone has {_HEADER.size}: it is empty or cut short",
            code="template_truncated",
        )
    magic, version, code, dimension, quality, reserved, fingerprint = _HEADER.unpack_from(data)
    if magic != _MAGIC:
        raise BadInputError("these bytes do not start with MIEN; expected a mien template", code="template_magic")
    if version != _VERSION:
        raise BadInputError(
            f"the template has format version {version}; this mien reads version {_VERSION}: update the older program",
            code="template_version",
        )
    if code >= len(_DTYPES):
        raise BadInputError(
            f"the template's element type is {code}; expected 0 (float32), 1 (float16) or 2 (int8)",
            code="template_element",
        )
    if reserved:
        raise BadInputError(f"the template's reserved field is {reserved}; expected 0", code="template_reserved")
    if not dimension:
        raise BadInputError("the template has dimension 0; expected at least 1", code="template_dimension")
    dtype = np.dtype(_DTYPES[code])
    expected = _HEADER.size + dimension * dtype.itemsize
    if len(data) != expected:
        raise BadInputError(
            f"the template has {len(data)} bytes; {dimension} {dtype.name} elements make {expected}",
            code="template_length",
        )
    vector = np.frombuffer(data, dtype, offset=_HEADER.size)
    return Template(unit(vector), fingerprint, quality / _LARGEST_QUALITY)


def unit(vector: NDArray[Any]) -> Float32:
    """A feature `(D,)` scaled to L2 norm 1, float32.

    A float32 vector whose norm is 1 within rounding (1e-6) keeps its bits, so that reading, writing and reading again
    never drifts.

    Raises:
        BadInputError: `template_dimension`, `template_not_finite` or `template_zero`.
    """
    if vector.ndim != 1 or not 1 <= len(vector) <= _LARGEST_DIMENSION:
        raise BadInputError(
            f"the template's vector has shape {vector.shape}; expected (D,) with D from 1 to {_LARGEST_DIMENSION}",
            code="template_dimension",
        )
    wide = vector.astype(np.float64)
    norm = float(np.sqrt(wide @ wide))
    if not np.isfinite(norm):
        raise BadInputError(
            "the template has elements that are NaN, infinite or absurdly large; it cannot be compared",
            code="template_not_finite",
        )
    if not norm:
        raise BadInputError("the template's elements are all zero; it has no direction", code="template_zero")
    if vector.dtype == np.float32 and abs(norm - 1) < _UNIT_TOLERANCE:
        return np.ascontiguousarray(vector, np.float32)
    return (wide / norm).astype(np.float32)


def check_fingerprint(fingerprint: bytes) -> None:
    """Refuse a model fingerprint that is not 16 bytes: BadInputError `template_fingerprint`."""
    if len(fingerprint) != FINGERPRINT_BYTES:
        raise BadInputError(
            f"the model fingerprint has {len(fingerprint)} bytes; expected {FINGERPRINT_BYTES}",
            code="template_fingerprint",
        )
