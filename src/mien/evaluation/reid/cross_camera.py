"""Are people followed from camera to camera? A set built from the camera and frame stamps of Market-1501's names.

Market-1501 was filmed by six cameras around one square, each in several recordings whose frames are counted from zero.
The clocks of the recordings, the topology and the calibration of appearance are learned from the training identities;
the test identities are then followed online. Pictures of nobody in particular (junk and distractors) are left out, for
nobody knows who they show: figures say how well identities are kept, not how false detections are survived.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.cameras.appearance import Appearance, fitted
from mien.cameras.clocks import clock_offsets
from mien.cameras.groups import mean_of_two
from mien.cameras.identities import Identities
from mien.cameras.learning import learned_topology
from mien.cameras.recent import Tracklet
from mien.cameras.topology import Topology
from mien.errors import BadInputError
from mien.evaluation.reid.names import Sightings
from mien.records import Float32
from mien.tracking.assignment import match

FRAME_RATE = 25.0
BREAK_SECONDS = 10.0
"""Somebody who is not seen in a camera for so long begins a new tracklet there."""
CLOCK_WINDOW = 30.0
"""Seconds in which most people come from one camera's view to another's."""
MEMORY = 3600.0
"""Seconds for which people are remembered; chosen on the training identities, many of whom come back after minutes."""
FEATURES_FROM = 8
"""Pictures of a tracklet, evenly spaced, whose features are averaged."""

Recording = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Walks:
    """Tracklets whose people are known, in the order of their ends.

    Attributes:
        tracklets: `N`, on one clock.
        people: int64 `(N,)`, who each shows.
        pictures: int64 `(N,)`, how many pictures each is made of.
    """

    tracklets: list[Tracklet]
    people: NDArray[np.int64]
    pictures: NDArray[np.int64]


def recording_clocks(seen: Sightings) -> dict[Recording, float]:
    """Seconds to add to the time of each recording (camera, sequence), from people who were seen in several.

    Recordings that cannot be compared with the others are left out.
    """
    seen = seen.pick(seen.people > 0)
    recordings, clock = np.unique(np.stack([seen.cameras, seen.sequences], 1), axis=0, return_inverse=True)
    visits, visit = np.unique(np.stack([seen.people, clock.reshape(-1)], 1), axis=0, return_inverse=True)
    order = np.lexsort((seen.frames, visit.reshape(-1)))
    sizes = np.bincount(visit.reshape(-1))
    middle = order[sizes.cumsum() - sizes + sizes // 2]
    times = seen.frames[middle] / FRAME_RATE
    found = clock_offsets(visits[:, 1], times, visits[:, 0], len(recordings), window=CLOCK_WINDOW)
    names = [(int(camera), int(sequence)) for camera, sequence in recordings]
    return {name: float(offset) for name, offset in zip(names, found.offsets, strict=True) if not np.isnan(offset)}


def walks_of(seen: Sightings, vectors: Float32, clocks: dict[Recording, float]) -> Walks:
    """Cuts the pictures of each person in each recording into tracklets.

    Args:
        seen: of `N` pictures.
        vectors: float32 `(N, D)`, L2-normalized.
        clocks: of the recordings; pictures of others are left out.

    Raises:
        BadInputError: `tracklets_too_few`, nothing remains.
    """
    offsets = np.array(
        [
            clocks.get((camera, sequence), np.nan)
            for camera, sequence in zip(seen.cameras.tolist(), seen.sequences.tolist(), strict=True)
        ]
    )
    rows = np.flatnonzero((seen.people > 0) & ~np.isnan(offsets))
    if not len(rows):
        raise BadInputError(
            f"{len(seen)} pictures hold no known person in a recording whose clock is known; give pictures named as in "
            "Market-1501 and training pictures of the same recordings",
            code="tracklets_too_few",
        )
    times = seen.frames / FRAME_RATE + offsets
    rows = rows[np.lexsort((times[rows], seen.sequences[rows], seen.cameras[rows], seen.people[rows]))]
    stays = np.stack([seen.people[rows], seen.cameras[rows], seen.sequences[rows]])
    breaks = (np.diff(stays) != 0).any(0) | (np.diff(times[rows]) > BREAK_SECONDS)
    parts = np.split(rows, np.flatnonzero(breaks) + 1)
    parts.sort(key=lambda part: (times[part[-1]], times[part[0]], int(part[0])))
    tracklets = [
        Tracklet(f"c{seen.cameras[part[0]]}", float(times[part[0]]), float(times[part[-1]]), _mean(vectors[part]))
        for part in parts
    ]
    people = np.array([seen.people[part[0]] for part in parts], np.int64)
    return Walks(tracklets, people, np.array([len(part) for part in parts], np.int64))


def learned_appearance(walks: Walks, *, memory: float) -> Appearance:
    """Calibrates on what the association compares: each tracklet with everybody who is remembered at its end.

    Args:
        walks: of known people.
        memory: seconds within which tracklets are compared.
    """
    vectors = np.stack([tracklet.vector for tracklet in walks.tracklets])
    ends = np.array([tracklet.end for tracklet in walks.tracklets])
    same: list[float] = []
    different: list[float] = []
    for row, tracklet in enumerate(walks.tracklets):
        recent = np.flatnonzero(ends[:row] >= tracklet.end - memory)
        people, who = np.unique(walks.people[recent], return_inverse=True)
        similarity = mean_of_two(who, (vectors[recent] @ tracklet.vector).astype(np.float64))
        mine = people == walks.people[row]
        same += similarity[mine].tolist()
        different += similarity[~mine].tolist()
    return fitted(np.array(same), np.array(different))


def followed(walks: Walks, topology: Topology, appearance: Appearance, *, use_travel: bool) -> NDArray[np.int64]:
    """The person that each tracklet is given, `(N,)`, one tracklet after the other."""
    identities = Identities(topology, appearance, use_travel=use_travel)
    return np.array([identities.add(tracklet).person for tracklet in walks.tracklets], np.int64)


def identity_figures(truth: NDArray[np.int64], given: NDArray[np.int64], pictures: NDArray[np.int64]) -> dict[str, Any]:
    """Cross-camera IDF1, and what it hides.

    Each true person is given one found person for good, so that most pictures agree (Ristani et al., "Performance
    Measures and a Data Set for Multi-Target, Multi-Camera Tracking", ECCV workshops 2016). As every picture has both, a
    true and a found person, IDF1, precision and recall are one number here. `precision` and `recall` are those of pairs
    of tracklets that are called one person.

    Args:
        truth, given: int64 `(N,)`, who each tracklet shows and is said to show.
        pictures: int64 `(N,)`, what each weighs.

    Returns:
        `{"idf1", "precision", "recall", "people", "found"}`.
    """
    people, person = np.unique(truth, return_inverse=True)
    found, label = np.unique(given, return_inverse=True)
    together = np.zeros((len(people), len(found)))
    np.add.at(together, (person, label), pictures)
    rows, columns = match(together, 0)
    tracklets = np.zeros_like(together)
    np.add.at(tracklets, (person, label), 1)
    right, said, true = (
        float((sizes * (sizes - 1)).sum()) for sizes in (tracklets, tracklets.sum(0), tracklets.sum(1))
    )
    return {
        "idf1": round(float(together[rows, columns].sum() / pictures.sum()), 6),
        "precision": round(right / said if said else 1.0, 6),
        "recall": round(right / true if true else 1.0, 6),
        "people": len(people),
        "found": len(found),
    }


def compare(train: Walks, test: Walks) -> dict[str, Any]:
    """Learns from one set of people and follows another three times: appearance alone, with time, with topology.

    Returns:
        `{"appearance": {...}, "time": {...}, "topology": {...}, "tracklets"}`, figures as in `identity_figures`.
    """
    appearance = learned_appearance(train, memory=MEMORY)
    by_time = learned_topology(train.tracklets, train.people, memory=MEMORY, by_link=False)
    topology = learned_topology(train.tracklets, train.people, memory=MEMORY)
    ways = (("appearance", topology, False), ("time", by_time, True), ("topology", topology, True))
    return {
        name: identity_figures(test.people, followed(test, known, appearance, use_travel=use_travel), test.pictures)
        for name, known, use_travel in ways
    } | {"tracklets": len(test.tracklets)}


def _mean(vectors: Float32) -> Float32:
    chosen = vectors[np.linspace(0, len(vectors) - 1, min(len(vectors), FEATURES_FROM)).round().astype(np.intp)]
    mean = chosen.mean(0)
    return (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)
