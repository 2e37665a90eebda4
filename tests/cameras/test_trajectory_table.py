"""Events of decisions, and the table that is made from a file of them, with merges taken back."""

from __future__ import annotations

import numpy as np
import pytest

from mien.cameras.appearance import Appearance
from mien.cameras.events import decision_event
from mien.cameras.identities import Identities
from mien.cameras.recent import Tracklet
from mien.cameras.table import COLUMNS, trajectory_rows
from mien.cameras.topology import Topology
from mien.errors import BadInputError, UsageError


@pytest.fixture
def run() -> tuple[Identities, list[dict]]:
    """Forty stays of five people in two cameras, and the events that were told about them."""
    topology = Topology.model_validate({"camera": [{"name": "in"}, {"name": "out"}]})
    identities = Identities(topology, Appearance(20, -10, -0.2, 0.95))
    random = np.random.default_rng(1)
    looks = random.normal(size=(5, 16))
    records = []
    for number in range(40):
        vector = looks[random.integers(5)] + 0.3 * random.normal(size=16)
        vector = (vector / np.linalg.norm(vector)).astype(np.float32)
        tracklet = Tracklet(("in", "out")[number % 2], 9.0 * number, 9.0 * number + 4, vector)
        decision = identities.add(tracklet)
        records.append(decision_event(decision, tracklet, time=tracklet.end + 2, track_id=100 + number))
    assert len(identities.people) == 5
    return identities, records


def expected(identities: Identities) -> list[tuple]:
    return [
        (person, stay.tracklet, stay.camera, stay.start)
        for person in identities.people
        for stay in identities.trajectory(person)
    ]


def rows_of(rows: list[dict]) -> list[tuple]:
    return [(row["person"], row["tracklet"], row["camera"], row["start"]) for row in rows]


def test_events_say_who_came_from_where(run):
    _, records = run
    assert {record["event"] for record in records} == {"first_seen", "seen_again"}
    again = next(record for record in records if record["event"] == "seen_again")
    assert {"person", "camera", "from", "seconds", "confidence", "merge_id", "joined_to", "schema"} <= again.keys()
    assert again["seconds"] == pytest.approx(again["start"] - records[again["joined_to"] - 1]["end"])
    assert 0 <= again["confidence"] <= 1


def test_the_table_is_that_of_the_run(run):
    identities, records = run
    noise = [{"event": "appeared", "time": 1.0}, {"event": "camera_lost", "time": 2.0, "camera": "in"}]
    rows = trajectory_rows([*noise, *records])
    assert rows_of(rows) == expected(identities)
    assert set(rows[0]) == set(COLUMNS)
    assert sum(row["merge_id"] is None for row in rows) == 5


def test_undoing_there_is_undoing_here(run):
    identities, records = run
    chosen = [merge.merge_id for merge in identities.merges][3::9]
    rows = trajectory_rows(records, undo=chosen)
    for merge_id in chosen:
        identities.undo(merge_id)
    assert rows_of(rows) == expected(identities)
    assert len({row["person"] for row in rows}) == 5 + len(chosen)


def test_what_does_not_fit_is_refused(run):
    _, records = run
    for wrong in (
        [*records, records[0]],
        records[1:],
        [{"event": "first_seen", "time": 0}],
        [{**records[0], "tracklet": None}],
    ):
        with pytest.raises(BadInputError, match="one run") as caught:
            trajectory_rows(wrong)
        assert caught.value.code == "event_file_invalid"
    for undo in ([999], [1, 1]):
        with pytest.raises(UsageError) as unknown:
            trajectory_rows(records, undo=undo)
        assert unknown.value.code == "merge_unknown"
