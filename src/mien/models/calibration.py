"""What was measured of an embedder's similarities: JSON files, each bound to the fingerprint of its features."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mien.errors import BadInputError, MissingError
from mien.models.catalogue import catalogue


def calibration_file(model: str, name: str, folder: Path) -> Path:
    """Where a calibration of this model lies: `name` in its model folder, where it has one, else `MODEL.json`."""
    entry = catalogue().get(model)
    return entry.place / name if entry is not None and entry.place is not None else folder / f"{model}.json"


def read_calibration(file: Path, model: str, fingerprint: bytes, remedy: str) -> dict[str, Any]:
    """The content of a calibration.

    Args:
        file: JSON with an object; its `fingerprint` as hexadecimal digits.
        model: the embedder's name.
        fingerprint: the embedder's: another alignment or other pixels need another calibration.
        remedy: how the file is made, for the errors.

    Raises:
        MissingError: `calibration_missing`, there is none.
        BadInputError: `calibration_mismatch`, it is for another fingerprint; `calibration_invalid`.
    """
    try:
        content = json.loads(file.read_text("utf-8"))
        stored = bytes.fromhex(content["fingerprint"])
    except OSError as error:
        raise MissingError(
            f"there is no calibration for {model}, so nothing can be decided; {remedy}", code="calibration_missing"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadInputError(f"{file} is no calibration ({error!r}); {remedy}", code="calibration_invalid") from error
    if stored != fingerprint:
        raise BadInputError(
            f"the calibration of {model} is for features {stored.hex()}, the embedder makes {fingerprint.hex()}; "
            f"{remedy}",
            code="calibration_mismatch",
        )
    return dict(content)
