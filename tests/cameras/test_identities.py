"""People followed from camera to camera: composed walks whose truth is known, undoing, ageing and bad input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mien.cameras.appearance import Appearance
from mien.cameras.identities import HISTORY_SECONDS, Identities
from mien.cameras.recent import Recent, Tracklet
from mien.cameras.topology import Topology
from mien.errors import UsageError

APPEARANCE = Appearance(20, -10, -0.2, 0.95)  # even at a cosine of .5


def topology(**other) -> Topology:
    return Topology.model_validate(
        {
            "camera": [{"name": name} for name in ("door", "hall", "stairs")],
            "link": [
                {"from": "door", "to": "hall", "seconds": (5, 10, 20), "both_ways": True},
                {"from": "hall", "to": "stairs", "seconds": (5, 10, 20), "both_ways": True},
            ],
            "memory": 300,
            **other,
        }
    )


def look(*parts: float) -> np.ndarray:
    vector = np.zeros(8, np.float32)
    vector[: len(parts)] = parts
    return vector / np.linalg.norm(vector)


def seen(camera: str, start: float, vector: np.ndarray, seconds: float = 4.0) -> Tracklet:
    return Tracklet(camera, start, start + seconds, vector)


def state(identities: Identities) -> list[list[tuple]]:
    return [
        [(stay.person, stay.tracklet, stay.camera, stay.start, stay.merge) for stay in identities.trajectory(person)]
        for person in identities.people
    ]


def test_follows_one_person_through_the_cameras():
    identities = Identities(topology(), APPEARANCE)
    ada = look(1, 0.2)
    answers = [identities.add(seen(name, start, ada)) for name, start in (("door", 0), ("hall", 14), ("stairs", 28))]
    assert [answer.person for answer in answers] == [1, 1, 1]
    assert answers[0].merge is None
    assert (answers[1].came_from, answers[1].seconds) == ("door", 10)
    assert (answers[2].came_from, answers[2].seconds) == ("hall", 10)
    assert answers[2].confidence > 0.99
    assert [stay.camera for stay in identities.trajectory(1)] == ["door", "hall", "stairs"]


def test_somebody_else_is_somebody_new():
    identities = Identities(topology(), APPEARANCE)
    identities.add(seen("door", 0, look(1, 0)))
    answer = identities.add(seen("hall", 14, look(0, 1)))
    assert answer.person == 2
    assert answer.merge is None
    assert answer.confidence > 0.9


def test_time_decides_between_two_who_look_alike():
    """Both left the door; one ten seconds ago, as it takes to the hall, the other four minutes ago."""
    early, late = look(1, 0.8), look(1, -0.8)
    for use_travel, expected in ((True, 2), (False, 1)):
        identities = Identities(topology(), APPEARANCE, use_travel=use_travel)
        identities.add(seen("door", 0, early))
        identities.add(seen("door", 236, late))
        assert identities.people == [1, 2]
        assert identities.add(seen("hall", 250, look(1, 0.05))).person == expected  # a little more like the early one


def test_topology_decides_between_two_who_look_alike():
    """One was seen at the door and one on the stairs ten seconds ago; from the stairs nobody comes to the door."""
    identities = Identities(topology(), APPEARANCE)
    identities.add(seen("stairs", 0, look(1, 0.3)))
    identities.add(seen("hall", 0, look(1, -0.9)))
    assert identities.people == [1, 2]
    assert identities.add(seen("door", 14, look(1, -0.3))).person == 2


def test_nobody_is_twice_in_one_picture():
    identities = Identities(topology(), APPEARANCE)
    twin = look(1, 0)
    identities.add(seen("door", 0, twin, 10))
    assert identities.add(seen("door", 5, twin, 10)).person == 2


def test_confidence_falls_where_two_are_possible():
    sure, unsure = Identities(topology(), APPEARANCE), Identities(topology(), APPEARANCE)
    for identities in (sure, unsure):
        identities.add(seen("door", 0, look(1, 0)))
    unsure.add(seen("door", 0, look(1, 0)))
    answers = [identities.add(seen("hall", 14, look(1, 0))) for identities in (sure, unsure)]
    assert answers[0].confidence > 0.95
    assert 0.3 < answers[1].confidence < 0.55


def test_undoing_restores_what_was_before():
    identities = Identities(topology(), APPEARANCE)
    ada, alan = look(1, 0.2), look(0, 1)
    identities.add(seen("door", 0, ada))
    identities.add(seen("stairs", 1, alan))
    before = state(identities)
    answer = identities.add(seen("hall", 14, ada))
    after = [*state(identities)]
    assert identities.undo(answer.merge.merge_id) == (1, 3)
    assert state(identities) == [*before, [(3, 3, "hall", 14, None)]]
    again = identities.join(3, 1)
    assert again.by_hand
    assert [[row[:4] for row in rows] for rows in state(identities)] == [[row[:4] for row in rows] for rows in after]


def test_undoing_in_the_middle_takes_the_rest_along():
    """Stairs was joined to hall; when hall turns out to be somebody else, stairs is that somebody."""
    identities = Identities(topology(), APPEARANCE)
    ada = look(1, 0.2)
    answers = [identities.add(seen(name, start, ada)) for name, start in (("door", 0), ("hall", 14), ("stairs", 28))]
    identities.undo(answers[1].merge.merge_id)
    assert [identities.person_of(number) for number in (1, 2, 3)] == [1, 2, 2]
    assert identities.add(seen("hall", 42, ada)).person == 2  # who was on the stairs ten seconds ago


def test_undoing_changes_nothing_about_later_answers():
    """The same tracklets, once with a merge that was undone and once without it, are answered alike from then on."""
    random = np.random.default_rng(5)
    looks = [look(*random.normal(size=8)) for _ in range(6)]
    walk = []
    for number in range(60):
        vector = looks[random.integers(6)] + 0.2 * random.normal(size=8).astype(np.float32)
        walk.append(seen(("door", "hall", "stairs")[random.integers(3)], 5.0 * number, look(*vector)))
    undone, never = Identities(topology(), APPEARANCE), Identities(topology(), APPEARANCE)
    for tracklet in walk[:30]:
        for identities in (undone, never):
            identities.add(tracklet)
    people = undone.people
    merge = undone.join(people[0], people[1])
    assert undone.people != people
    undone.undo(merge.merge_id)
    for tracklet in walk[30:]:
        one, other = undone.add(tracklet), never.add(tracklet)
        assert (one.person, one.confidence, one.came_from) == (other.person, other.confidence, other.came_from)
    assert len(undone.merges) > 10


def test_people_are_forgotten_by_age():
    identities = Identities(topology(), APPEARANCE)
    identities.add(seen("door", 0, look(1, 0)))
    assert identities.add(seen("hall", 310, look(1, 0))).person == 2
    assert identities.people == [1, 2]  # the table keeps them
    for number in range(300):
        identities.add(seen("hall", HISTORY_SECONDS + 1000 + 10 * number, look(0, 1)))
    assert 1 not in identities.people
    with pytest.raises(UsageError) as caught:
        identities.trajectory(1)
    assert caught.value.code == "person_unknown"


def test_a_memory_of_days_is_kept():
    identities = Identities(topology(memory=3 * HISTORY_SECONDS), APPEARANCE)
    identities.add(seen("door", 0, look(1, 0)))
    for number in range(600):
        identities.add(seen("hall", 1.5 * HISTORY_SECONDS + 100 * number, look(0, 1)))
    assert identities.trajectory(1)[0].camera == "door"


def test_a_clock_offset_is_added():
    shifted = topology(camera=[{"name": "door"}, {"name": "hall", "clock_offset": -500}, {"name": "stairs"}])
    identities = Identities(shifted, APPEARANCE)
    identities.add(seen("door", 0, look(1, 0)))
    answer = identities.add(seen("hall", 514, look(1, 0)))
    assert (answer.person, answer.seconds) == (1, 10)
    assert identities.trajectory(1)[1].start == 14


def test_a_clock_that_is_hours_ahead_makes_nobody_forgotten():
    identities = Identities(topology(), APPEARANCE)
    identities.add(seen("door", 0, look(1, 0)), now=4)
    identities.add(seen("stairs", 7200, look(0, 1)), now=6)
    assert identities.add(seen("hall", 14, look(1, 0)), now=18).person == 1


def test_memory_is_bounded():
    recent = Recent(100)
    for number in range(1000):
        recent.add(number, 0, seen("door", float(number), look(1, number)))
        assert len(recent) <= 100
    assert recent.numbers.tolist() == list(range(900, 1000))
    recent.forget(before=953.5)  # the 950th ended at 954
    assert recent.numbers.min() == 950
    assert (recent._vectors[len(recent) :] == 0).all()


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"camera": "hal"}, "camera_unknown"),
        ({"end": -1.0}, "tracklet_invalid"),
        ({"start": float("nan")}, "tracklet_invalid"),
        ({"vector": np.ones(8, np.float32)}, "tracklet_invalid"),
        ({"vector": np.full(8, np.nan, np.float32)}, "tracklet_invalid"),
        ({"vector": np.ones((1, 1), np.float32)}, "tracklet_invalid"),
        ({"vector": np.ones(1, np.float32)}, "tracklet_invalid"),
    ],
)
def test_bad_tracklets_are_refused_and_leave_nothing(changed, code):
    identities = Identities(topology(), APPEARANCE)
    identities.add(seen("door", 0, look(1, 0)))
    before = state(identities)
    with pytest.raises(UsageError) as caught:
        identities.add(replace(seen("hall", 14, look(1, 0)), **changed))
    assert caught.value.code == code
    assert state(identities) == before
    assert identities.add(seen("hall", 14, look(1, 0))).tracklet == 2


def test_an_unknown_camera_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'stairs'"):
        Identities(topology(), APPEARANCE).add(seen("stair", 0, look(1)))


def named(tracklet: Tracklet, subject: str | None) -> Tracklet:
    return replace(tracklet, subject=subject)


def test_a_face_that_is_known_joins_whom_looks_would_not():
    """At a cosine of .35 looks speak by three nats for two people: a coat was put on."""
    in_coat = look(0.35, np.sqrt(1 - 0.35**2))
    for subject, person in ((None, 2), ("ada", 1)):
        identities = Identities(topology(), APPEARANCE)
        identities.add(named(seen("door", 0, look(1)), subject))
        answer = identities.add(named(seen("hall", 14, in_coat), subject))
        assert (answer.person, answer.subject) == (person, subject)


def test_two_names_are_two_people_however_alike():
    identities = Identities(topology(), APPEARANCE)
    identities.add(named(seen("door", 0, look(1)), "ada"))
    answer = identities.add(named(seen("hall", 14, look(1)), "bob"))
    assert (answer.person, answer.subject) == (2, "bob")
    answer = identities.add(named(seen("stairs", 28, look(1)), "bob"))
    assert (answer.person, answer.came_from) == (2, "hall")


def test_a_name_stays_where_no_face_is_seen_and_goes_with_the_merge_that_gave_it():
    identities = Identities(topology(), APPEARANCE)
    identities.add(named(seen("door", 0, look(1)), "ada"))
    answer = identities.add(seen("hall", 14, look(1)))
    assert (answer.person, answer.subject) == (1, "ada")
    assert identities.subject_of(1) == "ada"
    identities.undo(answer.merge.merge_id)
    assert (identities.subject_of(1), identities.subject_of(2)) == ("ada", None)
