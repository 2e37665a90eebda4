"""Videos into the archive: found, followed and described once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from mien.archive.archive import Archive
from mien.archive.describing import Describer
from mien.archive.files import VideoFile, video_file
from mien.archive.records import Video
from mien.errors import BadInputError
from mien.media.video import open_video
from mien.person.embedder import person_embedder_identity
from mien.scene.moment import Moment
from mien.scene.watcher import Watcher

Progress = Callable[[Path, int, int], None]
"""Called with the video, how many of its frames are done, and how many there are (0: not known)."""

_log = logging.getLogger("mien.archive")


def index_videos(
    archive: Archive, paths: Sequence[str | Path], progress: Progress = lambda path, done, total: None
) -> list[Video]:
    """The videos at these paths, each in the archive when this returns.

    A file that the archive knows, with looks of the present embedder, is not looked at again. Each video is kept all
    or nothing: where this is interrupted the videos before are there, and of the one that was looked at nothing.

    Raises:
        UsageError: `archive_live`.
        BadInputError: a file is missing or no video, or the archive is damaged. All files are looked for first.
    """
    files = [video_file(path) for path in paths]
    describer: Describer | None = None
    found: dict[int, Video] = {}
    for file in files:
        video = archive.known(file)
        if video is not None and video.fingerprint != person_embedder_identity(None)[1]:
            _log.warning("%s was indexed with another embedder (%s); it is indexed again", file.path, video.model)
            video = None
        if video is None:
            describer = describer or Describer()
            video = _index(archive, file, describer, progress)
        found[video.number] = video
    return list(found.values())


def _index(archive: Archive, file: VideoFile, describer: Describer, progress: Progress) -> Video:
    path = Path(file.path)
    digest = file.digest()
    watcher = Watcher(people=True)
    ends = [0.0]
    with open_video(path) as stream, closing(watcher.watch(stream)) as moments:

        def counted() -> Iterator[Moment]:
            for moment in moments:
                ends[0] = moment.frame.time
                progress(path, watcher.summary.frames, stream.frame_count or 0)
                yield moment

        tracks = list(describer(counted()))
    if video_file(path) != file:
        raise BadInputError(
            f"{path}: changed while it was indexed; index it again when it is complete", code="video_changed"
        )
    return archive.add(
        file,
        digest,
        tracks,
        seconds=ends[0],
        frames=watcher.summary.frames,
        model=describer.embedder.name,
        fingerprint=describer.embedder.fingerprint,
    )
