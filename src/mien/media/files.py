"""Files at the edge: is this one there and readable, in what order do names come, how is one replaced whole."""

from __future__ import annotations

import os
import re
import secrets
import stat
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mien.errors import BadInputError, UsageError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_LARGEST_TOML = 1 << 20


def is_url(source: str | os.PathLike[str]) -> bool:
    """Whether a source given as text reads `scheme://...`; a Path is always a file."""
    return isinstance(source, str) and _SCHEME.match(source) is not None


def shown(path: str | os.PathLike[str]) -> str:
    """A path as text that every output can encode: bytes that are not UTF-8 become question marks."""
    return os.fspath(path).encode("utf-8", "replace").decode("utf-8")


def natural_key(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    """Sort key that puts `frame2` before `frame10`; equal for no two different paths.

    Example:
        >>> [path.name for path in sorted([Path("f10.png"), Path("f2.png")], key=natural_key)]
        ['f2.png', 'f10.png']
    """
    parts = re.split(r"([0-9]+)", str(path))
    return [(1, int(part), "") if index % 2 else (0, 0, part) for index, part in enumerate(parts)], str(path)


def check_file(path: str | os.PathLike[str]) -> tuple[Path, int]:
    """The path of a regular file that is there, and its size in bytes.

    Raises:
        BadInputError: `file_missing`, `file_is_directory`, or `file_unreadable` (a loop of links, a pipe, a device,
            no permission to look).
    """
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        raise BadInputError(f"{shown(path)}: no such file; check the path", code="file_missing") from None
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    if stat.S_ISDIR(status.st_mode):
        raise BadInputError(
            f"{shown(path)}: is a folder; a file is expected, give one from inside it", code="file_is_directory"
        )
    if not stat.S_ISREG(status.st_mode):
        raise BadInputError(f"{shown(path)}: is a pipe or a device; a regular file is expected", code="file_unreadable")
    return Path(path), status.st_size


def unreadable(path: str | os.PathLike[str], error: Exception) -> BadInputError:
    """The error of a file that the system does not let be read, in the system's words."""
    reason = getattr(error, "strerror", None) or str(error)
    return BadInputError(
        f"{shown(path)}: cannot be read ({reason}); check its permissions and the disk", code="file_unreadable"
    )


def unwritable(path: str | os.PathLike[str], error: Exception) -> UsageError:
    """The error of a file that cannot be written, in the system's words."""
    reason = getattr(error, "strerror", None) or str(error)
    return UsageError(
        f"{shown(path)}: cannot be written ({reason}); check the folder, its permissions and the space on the disk",
        code="file_unwritable",
    )


def temporary_beside(path: str | os.PathLike[str]) -> Path:
    """A hidden name in the same folder, to be written first and renamed to `path` once it is whole."""
    return Path(path).with_name(f".{secrets.token_hex(6)}.part")


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path that takes the place of `path` when the block ends well and is removed when it does not.

    Nobody ever sees half a file under the final name.

    Example:
        >>> with replacing("report.json") as temporary:  # doctest: +SKIP
        ...     temporary.write_text("{}")
    """
    temporary = temporary_beside(path)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def read_toml(path: str | os.PathLike[str], *, what: str, code: str) -> dict[str, Any]:
    """The content of a TOML file that somebody wrote by hand.

    Args:
        path: of the file, of 1 MiB at most.
        what: the kind of file, for messages: `zone file`.
        code: of the error where it is none.

    Raises:
        BadInputError: as `check_file`, `file_unreadable`, or `code`.
    """
    file, size = check_file(path)
    if size > _LARGEST_TOML:
        raise BadInputError(f"{what} {shown(path)}: has {size} bytes; it has at most {_LARGEST_TOML}", code=code)
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise unreadable(file, error) from error
    except ValueError as error:
        raise BadInputError(f"{what} {shown(path)}: is not TOML in UTF-8: {error}", code=code) from error
