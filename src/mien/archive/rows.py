"""Videos and tracks as rows: what is sealed, and what each sealed value is bound to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np
import sqlalchemy as sql
from sqlalchemy.engine import Connection, Row

from mien.archive.files import VideoFile
from mien.archive.records import Shot, Track, Video
from mien.archive.schema import tracks, videos
from mien.archive.wanted import looks_of
from mien.errors import BadInputError
from mien.identity.vault import Vault, seal, unseal
from mien.records import Float32

_BY_CONTENT, _BY_PATH, _BY_STAMP = range(3)
_NONE = np.empty((0, 0), np.float32)


def blind_content(vault: Vault, digest: str) -> bytes:
    """What finds a video by its file's bytes, given their digest."""
    return vault.blind(_BY_CONTENT, digest)


def blind_path(vault: Vault, path: str) -> bytes:
    """What finds a video by its absolute path."""
    return vault.blind(_BY_PATH, path)


def blind_stamp(vault: Vault, file: VideoFile) -> bytes:
    """What finds a video by path, size and time of change."""
    return vault.blind(_BY_STAMP, file.stamp)


def add_video(
    connection: Connection,
    vault: Vault,
    file: VideoFile,
    digest: str,
    found: Sequence[Track],
    facts: dict[str, Any],
    header: dict[str, Any],
) -> int:
    """Inserts a video with all its tracks; its number.

    Args:
        connection: in a write transaction.
        vault: keys.
        file, digest: the file and the SHA-256 of its bytes.
        found: the tracks.
        facts: what is sealed of the video beside its path: `seconds` and `frames`.
        header: what is in clear: `model`, `fingerprint`, `indexed_at`.
    """
    content = blind_content(vault, digest)
    key, wrapped = vault.new_subject_key(content)
    rows = [len(track.features) for track in found]
    parts = [track.features for track in found]
    features = np.concatenate(parts).astype(np.float16) if parts else np.empty((0, 0), np.float16)
    looks = np.array([looks_of(track) for track in found], np.float16)
    sealed = facts | {"path": file.path, "people": len({track.track_id for track in found})}
    number = connection.execute(
        videos.insert()
        .values(
            blind_content=content,
            blind_path=blind_path(vault, file.path),
            blind_stamp=blind_stamp(vault, file),
            key=wrapped,
            facts=_seal_json(key, sealed, b"video", content),
            rows=seal(key, np.array(rows, np.uint8).tobytes(), _context(b"rows", content)),
            features=seal(key, features.tobytes(), _context(b"features", content)),
            looks=seal(key, looks.tobytes(), _context(b"looks", content)),
            **header,
        )
        .returning(videos.c.id)
    ).scalar_one()
    if found:
        connection.execute(
            tracks.insert(),
            [
                {
                    "video_id": number,
                    "number": place,
                    "facts": _seal_json(key, _track_facts(track), b"track", content, place),
                    "picture": seal(
                        key, b"".join(shot.jpeg for shot in track.shots), _context(b"picture", content, place)
                    ),
                }
                for place, track in enumerate(found)
            ],
        )
    return int(number)


def move_video(connection: Connection, vault: Vault, row: Row[Any], file: VideoFile) -> None:
    """Notes that the file of a video lies elsewhere now, or was touched."""
    with explained(row.id):
        key = vault.subject_key(row.key, row.blind_content)
        facts = _unseal_json(key, row.facts, b"video", row.blind_content)
    connection.execute(
        videos.update()
        .where(videos.c.id == row.id)
        .values(
            blind_path=blind_path(vault, file.path),
            blind_stamp=blind_stamp(vault, file),
            facts=_seal_json(key, facts | {"path": file.path}, b"video", row.blind_content),
        )
    )


def read_video(vault: Vault, row: Row[Any]) -> Video:
    """A video.

    Raises:
        BadInputError: `archive_damaged`.
    """
    with explained(row.id):
        key = vault.subject_key(row.key, row.blind_content)
        facts = _unseal_json(key, row.facts, b"video", row.blind_content)
    when = datetime.fromtimestamp(row.indexed_at, UTC)
    seconds, frames, people = facts["seconds"], facts["frames"], facts["people"]
    return Video(row.id, facts["path"], seconds, frames, people, row.model, bytes(row.fingerprint), when)


def read_features(vault: Vault, row: Row[Any]) -> tuple[Float32, list[int], Float32]:
    """The features of all tracks of a video, how many each has, and what they look like; as `index_of` takes them.

    Raises:
        BadInputError: `archive_damaged`.
    """
    with explained(row.id):
        key = vault.subject_key(row.key, row.blind_content)
        plain = {
            name: unseal(key, getattr(row, name), _context(name.encode(), row.blind_content))
            for name in ("rows", "features", "looks")
        }
    counts = list(plain["rows"])
    features, looks = (
        np.frombuffer(plain[name], np.float16).reshape(count, -1).astype(np.float32) if count else _NONE
        for name, count in (("features", sum(counts)), ("looks", len(counts)))
    )
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), np.float32(1e-12)), counts, looks


def read_track(vault: Vault, row: Row[Any], track: Row[Any], features: Float32) -> Track:
    """A track with its thumbnails.

    Raises:
        BadInputError: `archive_damaged`.
    """
    with explained(row.id):
        key = vault.subject_key(row.key, row.blind_content)
        facts = _unseal_json(key, track.facts, b"track", row.blind_content, track.number)
        pictures = unseal(key, track.picture, _context(b"picture", row.blind_content, track.number))
    ends = np.cumsum([shot["bytes"] for shot in facts["shots"]]).tolist()
    shots = [
        Shot(shot["time"], np.array(shot["box"], np.float32), shot["worth"], pictures[end - shot["bytes"] : end])
        for shot, end in zip(facts["shots"], ends, strict=True)
    ]
    kept = ("track_id", "began", "ended", "frames", "probabilities", "upper", "lower")
    return Track(
        **{name: facts[name] for name in kept},
        shots=shots,
        path=np.array(facts["path"], np.float32).reshape(-1, 5),
        features=features,
    )


def track_rows(connection: Connection, video: int, numbers: Sequence[int]) -> list[Row[Any]]:
    """The rows of some of a video's tracks."""
    return list(
        connection.execute(sql.select(tracks).where(tracks.c.video_id == video, tracks.c.number.in_(list(numbers))))
    )


@contextmanager
def explained(video: int) -> Iterator[None]:
    """Says of a sealed value that does not open which video it belongs to, and what to do."""
    try:
        yield
    except BadInputError as error:
        if error.code != "database_damaged":
            raise
        raise damaged(video) from error


def damaged(video: int) -> BadInputError:
    """The error of a video whose rows are not what was written."""
    return BadInputError(
        f"what the archive holds of video {video} was damaged or changed: erase it with `mien archive forget {video}` "
        "and index the file again by searching in it",
        code="archive_damaged",
    )


def _track_facts(track: Track) -> dict[str, Any]:
    return {
        "track_id": track.track_id,
        "began": track.began,
        "ended": track.ended,
        "frames": track.frames,
        "path": track.path.round(2).tolist(),
        "shots": [
            {"time": shot.time, "box": shot.box.tolist(), "worth": round(shot.worth, 4), "bytes": len(shot.jpeg)}
            for shot in track.shots
        ],
        "probabilities": {name: round(value, 4) for name, value in track.probabilities.items()},
        "upper": track.upper,
        "lower": track.lower,
    }


def _seal_json(key: bytes, record: dict[str, Any], kind: bytes, content: bytes, number: int = 0) -> bytes:
    return seal(key, json.dumps(record, separators=(",", ":")).encode(), _context(kind, content, number))


def _unseal_json(key: bytes, sealed: bytes, kind: bytes, content: bytes, number: int = 0) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(unseal(key, sealed, _context(kind, content, number)))
    return record


def _context(kind: bytes, content: bytes, number: int = 0) -> bytes:
    return b"archive\0" + kind + b"\0" + content + number.to_bytes(8, "little")
