"""When a track's feature is to be extracted: on its first good shot, and again only on a clearly better one."""

from __future__ import annotations

from dataclasses import dataclass

from mien.errors import UsageError


@dataclass(slots=True)
class _Record:
    """What is known of one track: `best` is the highest quality that was offered, `extracted` that was extracted."""

    offers: int = 0
    extractions: int = 0
    best: float = 0.0
    extracted: float = 0.0


class BestShots:
    """Decides by quality alone which shots of a track are worth an extraction.

    The caller keeps the best shot of each track since the track's last extraction (its crop and its quality). Where
    `offer` says True, the shot to extract is that best one: the one just offered, or, where patience ran out, perhaps
    an earlier one. Where `forget` says True, the track ends without any feature: extract the best shot that was kept.
    So every track with a shot is extracted at least once and at most `most` times.

    Args:
        minimum: quality in [0, 1] of a good shot; the first one is extracted at once.
        gain: by how much > 0 a later shot must be better than the best extracted one; it must be a good one too.
        patience: number >= 1 of offers after which the best shot so far has to do, good or not.
        most: number >= 1 of extractions a track.

    Raises:
        UsageError: an argument is out of its range.

    Example:
        >>> shots = BestShots(minimum=0.5, gain=0.1)
        >>> [shots.offer(1, quality) for quality in (0.2, 0.6, 0.65, 0.8)]
        [False, True, False, True]
        >>> shots.forget(1)
        False
    """

    def __init__(self, *, minimum: float = 0.5, gain: float = 0.15, patience: int = 12, most: int = 3) -> None:
        limits = [
            ("minimum", minimum, 0 <= minimum <= 1, "in [0, 1]"),
            ("gain", gain, gain > 0, "above 0"),
            ("patience", patience, patience >= 1, ">= 1"),
            ("most", most, most >= 1, ">= 1"),
        ]
        for name, value, fits, expected in limits:
            if not fits:
                raise UsageError(f"{name} = {value!r}; expected {expected}", code="best_shot_argument_invalid")
        self._minimum, self._gain, self._patience, self._most = minimum, gain, patience, most
        self._records: dict[int, _Record] = {}

    def offer(self, track_id: int, quality: float) -> bool:
        """Takes a shot of a track, quality in [0, 1]; True where the track's best shot is to be extracted now."""
        record = self._records.setdefault(track_id, _Record())
        record.offers += 1
        record.best = max(record.best, quality)
        if record.extractions:
            wanted = max(record.extracted + self._gain, self._minimum)
            due = quality >= wanted and record.extractions < self._most
        else:
            due = quality >= self._minimum or record.offers >= self._patience
        if due:
            record.extractions += 1
            record.extracted = record.best
        return due

    def has_spare(self, track_id: int) -> bool:
        """Whether the track was extracted, and may be once more."""
        record = self._records.get(track_id)
        return record is not None and 0 < record.extractions < self._most

    def spend(self, track_id: int) -> None:
        """Counts an extraction that the caller makes without a clearly better shot; only where `has_spare`."""
        self._records[track_id].extractions += 1

    def is_settled(self, track_id: int, quality: float) -> bool:
        """Whether a shot of at most this quality can change nothing any more: it need not even be measured."""
        record = self._records.get(track_id)
        if record is None or not record.extractions:
            return False
        return record.extractions >= self._most or quality < max(record.extracted + self._gain, self._minimum)

    def forget(self, track_id: int) -> bool:
        """Drops a track that has ended; True where it was offered shots and none was extracted."""
        record = self._records.pop(track_id, None)
        return record is not None and record.extractions == 0
