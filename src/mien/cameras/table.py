"""The table of trajectories, made again from a file of events, with some of its merges undone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mien.cameras.identities import most_named
from mien.cameras.merges import Merges
from mien.errors import BadInputError, UsageError

COLUMNS = ("person", "subject", "camera", "start", "end", "confidence", "merge_id", "track_id", "tracklet")


def trajectory_rows(records: Iterable[Mapping[str, Any]], *, undo: Sequence[int] = ()) -> list[dict[str, Any]]:
    """One row for each stay of a person in a camera's view, person after person, in the order of time.

    Args:
        records: events as `mien cameras follow` writes them; others are passed over.
        undo: numbers of merges that are taken back.

    Returns:
        Rows with `COLUMNS`; `subject` is the person's name, of the faces that belong to them now, `merge_id` and
        `confidence` of how the stay was joined to its person, None for the first.

    Raises:
        BadInputError: `event_file_invalid`, events that do not fit together, as from two runs.
        UsageError: `merge_unknown`.
    """
    merges = Merges()
    stays: dict[int, Mapping[str, Any]] = {}
    numbers: dict[int, int] = {}  # merge of the file -> merge here
    subjects: dict[Any, str | None] = {}  # by track
    for record in records:
        if record.get("event") == "left" and record.get("kind") == "person":
            subjects[record.get("track_id")] = record.get("subject")
        if record.get("event") in ("first_seen", "seen_again"):
            try:
                _add(record, merges, stays, numbers)
            except (KeyError, TypeError, UsageError) as error:
                raise BadInputError(
                    f"event of tracklet {record.get('tracklet')!r} at {record.get('time')!r} s does not fit the ones "
                    f"before it ({error}); give the events of one run of `mien cameras follow`, all of them",
                    code="event_file_invalid",
                ) from error
    for merge_id in undo:
        if merge_id not in numbers:
            raise UsageError(f"there is no merge {merge_id} that could be undone", code="merge_unknown")
        merges.undo(numbers.pop(merge_id))
    rows = []
    for person in merges.people:
        numbers_in_time = sorted(merges.members(person), key=lambda one: (stays[one]["start"], one))
        subject = most_named([subjects.get(stays[number]["track_id"]) for number in numbers_in_time])
        for number in numbers_in_time:
            stay = stays[number]
            merge = merges.merge_of(number)
            joined = None if merge is None else stay
            rows.append(
                {
                    "person": person,
                    "subject": subject,
                    "camera": stay["camera"],
                    "start": stay["start"],
                    "end": stay["end"],
                    "confidence": joined and joined["confidence"],
                    "merge_id": joined and joined["merge_id"],
                    "track_id": stay["track_id"],
                    "tracklet": number,
                }
            )
    return rows


def _add(
    record: Mapping[str, Any], merges: Merges, stays: dict[int, Mapping[str, Any]], numbers: dict[int, int]
) -> None:
    number = int(record["tracklet"])
    merges.add(number)
    stays[number] = {name: record[name] for name in ("camera", "start", "end", "confidence", "track_id")}
    if record["event"] == "seen_again":
        merge = merges.join(int(record["joined_to"]), number, confidence=float(record["confidence"]))
        numbers[int(record["merge_id"])] = merge.merge_id
        stays[number] = {**stays[number], "merge_id": int(record["merge_id"])}
