"""Learns a topology from people whose ways are known: which cameras they go between, how often, how long it takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.cameras.evidence import stray_density
from mien.cameras.recent import Tracklet
from mien.cameras.topology import Camera, Link, Topology
from mien.cameras.travel import Travel, fitted
from mien.errors import BadInputError

FEWEST = 5
"""People, more or less, who must have gone a way for it to become a link."""

_ROUNDS = 40
_STRAIGHT_SECONDS = 60.0  # who takes longer is taken for a stray at first
_LIMITS = (0.01, 0.99)

Float64 = NDArray[np.float64]


def learned_topology(
    tracklets: Sequence[Tracklet], people: NDArray[np.int64], *, memory: float = 600.0, by_link: bool = True
) -> Topology:
    """The topology of known trajectories.

    Who goes from camera to camera either goes straight there or stops on the way, and both kinds are mixed in what is
    measured. They are told apart by expectation maximization: links are made of those who go straight, `stray` and
    `anywhere` of the others.

    Args:
        tracklets: `N`, on one clock.
        people: int64 `(N,)`, who each shows.
        memory: seconds; somebody who comes back later counts as new.
        by_link: False learns one travel time for all pairs of cameras: how long people take, not where they go.

    Raises:
        BadInputError: `trajectories_too_few`, nobody was seen twice within `memory`.
    """
    names = sorted({tracklet.camera for tracklet in tracklets})
    origins, destinations, seconds = transitions(tracklets, people)
    within = seconds <= memory
    if not within.any():
        raise BadInputError(
            f"in {len(tracklets)} tracklets nobody is seen twice within {memory:g} s, so no topology can be learned; "
            "give people who walk from camera to camera",
            code="trajectories_too_few",
        )
    origins, destinations, seconds = origins[within], destinations[within], seconds[within]
    pair = np.searchsorted(names, origins) * len(names) + np.searchsorted(names, destinations)
    straight = np.where(seconds <= _STRAIGHT_SECONDS, 0.95, 0.05)
    for _ in range(_ROUNDS):
        ways = _ways(pair, seconds, straight, len(names), by_link)
        anywhere = fitted(seconds, 1 - straight)
        stray = float(np.clip(1 - straight.mean(), *_LIMITS))
        going = np.zeros(len(seconds))
        for key, (travel, share) in ways.items():
            rows = pair == key
            going[rows] = (1 - stray) * share * travel.density(seconds[rows])
        straying = stray * stray_density(seconds, anywhere, memory) / len(names)
        # Nobody is ever quite sure, so that weights are never all zero.
        straight = np.clip(going / (going + straying), 1e-6, 1 - 1e-6)
    links = [
        {"from": names[key // len(names)], "to": names[key % len(names)], "seconds": _times(travel), "share": share}
        for key, (travel, share) in ways.items()
    ]
    return Topology.model_validate(
        {
            "camera": [Camera(name=name) for name in names],
            "link": [Link.model_validate(link) for link in links],
            "memory": memory,
            "stray": stray,
            "anywhere": _times(anywhere),
            "returning": float(np.clip(within.sum() / len(tracklets), *_LIMITS)),
        }
    )


def _ways(
    pair: NDArray[np.intp], seconds: Float64, straight: Float64, cameras: int, by_link: bool
) -> dict[int, tuple[Travel, float]]:
    """Travel time and share of each pair of cameras (origin * cameras + destination) that enough people went along."""
    if not by_link:
        pooled = fitted(seconds, straight)
        return dict.fromkeys(range(cameras**2), (pooled, 1 / cameras))
    went = np.bincount(pair, straight, cameras**2)
    went[went < FEWEST] = 0
    left = went.reshape(cameras, cameras).sum(1)
    return {
        key: (fitted(seconds[pair == key], straight[pair == key]), float(went[key] / left[key // cameras]))
        for key in np.flatnonzero(went).tolist()
    }


def _times(travel: Travel) -> tuple[float, float, float]:
    """As a topology file has them: rising, also where everybody took the same time."""
    longest = travel.longest if travel.longest > travel.shortest else travel.shortest + 0.1
    return travel.shortest, travel.typical, longest


def transitions(
    tracklets: Sequence[Tracklet], people: NDArray[np.int64]
) -> tuple[NDArray[np.str_], NDArray[np.str_], NDArray[np.float64]]:
    """From where to where people went next: each tracklet with the last one of its person that ended before it did.

    Returns:
        Cameras left and entered, and seconds float64 between, `(T,)` each.
    """
    starts, ends = (np.array([getattr(tracklet, name) for tracklet in tracklets]) for name in ("start", "end"))
    cameras = np.array([tracklet.camera for tracklet in tracklets], np.str_)
    order = np.lexsort((starts, ends, people))
    again = np.flatnonzero(people[order][1:] == people[order][:-1])
    before, after = order[again], order[again + 1]
    return cameras[before], cameras[after], starts[after] - ends[before]
