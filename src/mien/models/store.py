"""Where model files are: a model folder, or else the cache, then a mirror folder, then the publisher's address.

Bytes are checked against the catalogue's sha256 before anybody sees them, each time they are read.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from mien.errors import MissingError
from mien.models.catalogue import Model, ModelFile
from mien.settings import Settings, settings

log = logging.getLogger(__name__)
Progress = Callable[[str, int, int], None]
"""Called with the file's name, the bytes so far and the bytes in all."""

_CHUNK = 1 << 16
_TIMEOUT_SECONDS = 30.0


def read(model: Model) -> dict[str, bytes]:
    """The files of a model by name, verified; fetched into the cache where neither cache nor mirror has them.

    Raises:
        MissingError: `model_missing`, saying where was looked and what to do.
    """
    return {file.name: _read_file(model, file) for file in model.files}


def is_present(model: Model) -> bool:
    """Whether cache or mirror hold every file of the model, by size; `verify` reads the contents."""
    return all(
        any(path.is_file() and path.stat().st_size == file.bytes for path in _places(model, file, settings()))
        for file in model.files
    )


def verify(model: Model) -> dict[str, str]:
    """State of each file: `ok`, `missing`, or `wrong sha256` with the place of the wrong file."""
    states = {}
    for file in model.files:
        states[file.name] = "missing"
        for path in _places(model, file, settings()):
            if path.is_file():
                good = _verified(path, file) is not None
                states[file.name] = "ok" if good else f"wrong sha256: {path}"
                break
    return states


def pull(model: Model, progress: Progress | None = None) -> list[Path]:
    """Put every file of the model into the cache, from the mirror or the publisher; a good one is left alone.

    Raises:
        MissingError: `model_missing`.
    """
    pulled = []
    for file in model.files:
        cached = (model.place or settings().model_cache / model.folder) / file.name
        if _verified(cached, file) is None:
            mirror = settings().model_mirror
            content = _verified(mirror / model.folder / file.name, file) if mirror else None
            _write(cached, content if content is not None else _download(model, file, progress))
        pulled.append(cached)
    return pulled


def _read_file(model: Model, file: ModelFile) -> bytes:
    for path in _places(model, file, settings()):
        content = _verified(path, file)
        if content is not None:
            return content
    content = _download(model, file, None)
    _write(settings().model_cache / model.folder / file.name, content)
    return content


def _places(model: Model, file: ModelFile, chosen: Settings) -> list[Path]:
    if model.place is not None:
        return [model.place / file.name]
    folders = [chosen.model_cache, chosen.model_mirror]
    return [folder / model.folder / file.name for folder in folders if folder is not None]


def _verified(path: Path, file: ModelFile) -> bytes | None:
    """The content if it is there and what the catalogue says; a wrong file is warned of and passed over."""
    try:
        if path.stat().st_size == file.bytes:
            content = path.read_bytes()
            if hashlib.sha256(content).hexdigest() == file.sha256:
                return content
    except OSError:
        return None
    log.warning("%s is not the file that the catalogue names (wrong size or sha256); it is not loaded", path)
    return None


def _download(model: Model, file: ModelFile, progress: Progress | None) -> bytes:
    looked = ", ".join(str(path.parent) for path in _places(model, file, settings()))
    if model.place is not None:
        raise MissingError(
            f"model {model.name}: no good {file.name} in {looked}; export it, or install its pack, again",
            code="model_missing",
        )
    remedy = (
        f"Run `mien models pull {model.name}` on a machine that reaches {file.url}, or set MIEN_MODEL_MIRROR to "
        f"a folder that holds {model.folder}/{file.name}."
    )
    if settings().offline:
        raise MissingError(
            f"model {model.name}: no good {file.name} in {looked}, and MIEN_OFFLINE is set. {remedy}",
            code="model_missing",
        )
    if not file.url.startswith("https://"):
        raise MissingError(f"model {model.name} has no address to fetch {file.name} from.", code="model_missing")
    try:
        content = _fetch(file, progress)
    except (urllib.error.URLError, OSError) as error:
        raise MissingError(
            f"model {model.name}: no good {file.name} in {looked}, and its publisher does not answer ({error}). "
            f"{remedy}",
            code="model_missing",
        ) from error
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise MissingError(
            f"model {model.name}: what {file.url} sent is not {file.name} (wrong sha256), so it was thrown away. "
            f"{remedy}",
            code="model_missing",
        )
    return content


def _fetch(file: ModelFile, progress: Progress | None) -> bytes:
    content = bytearray()
    with urllib.request.urlopen(file.url, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - https is checked above
        while len(content) <= file.bytes and (chunk := answer.read(_CHUNK)):
            content += chunk
            if progress is not None:
                progress(file.name, len(content), file.bytes)
    return bytes(content)


def _write(path: Path, content: bytes) -> None:
    """Write beside the target and rename, so that a half-written file never carries the name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
