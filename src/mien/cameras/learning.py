"""Learns a topology from people whose ways are known: which cameras they go between, how often, how long it takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.cameras.recent import Tracklet
from mien.cameras.topology import Camera, Link, Topology
from mien.cameras.travel import fitted
from mien.errors import BadInputError

FEWEST = 10
"""Times that a way must have been gone to become a link."""

_LIMITS = (0.01, 0.99)


def learned_topology(tracklets: Sequence[Tracklet], people: NDArray[np.int64], *, memory: float = 600.0) -> Topology:
    """The topology of known trajectories.

    Args:
        tracklets: `N`, on one clock.
        people: int64 `(N,)`, who each shows.
        memory: seconds; somebody who comes back later counts as new.

    Raises:
        BadInputError: `trajectories_too_few`, nobody was seen twice within `memory`.
    """
    origins, destinations, seconds = transitions(tracklets, people)
    within = seconds <= memory
    if not within.any():
        raise BadInputError(
            f"in {len(tracklets)} tracklets nobody is seen twice within {memory:g} s, so no topology can be learned; "
            "give people who walk from camera to camera",
            code="trajectories_too_few",
        )
    origins, destinations, seconds = origins[within], destinations[within], seconds[within]
    names = sorted({tracklet.camera for tracklet in tracklets})
    links = []
    linked = np.zeros(len(seconds), np.bool_)
    for origin in names:
        leaving = origins == origin
        for destination in names:
            rows = leaving & (destinations == destination)
            if rows.sum() >= FEWEST:
                linked |= rows
                travel = fitted(seconds[rows])
                if travel.shortest < travel.longest:
                    share = float(rows.sum() / leaving.sum())
                    times = (travel.shortest, travel.typical, travel.longest)
                    links.append(
                        Link.model_validate({"from": origin, "to": destination, "seconds": times, "share": share})
                    )
    anywhere = fitted(seconds)
    return Topology.model_validate(
        {
            "camera": [Camera(name=name) for name in names],
            "link": links,
            "memory": memory,
            "stray": float(np.clip(1 - linked.mean(), *_LIMITS)),
            "anywhere": (anywhere.shortest, anywhere.typical, anywhere.longest),
            "returning": float(np.clip(within.sum() / len(tracklets), *_LIMITS)),
        }
    )


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
