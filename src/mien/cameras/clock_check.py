"""Is a camera's clock wrong? Told from people who look the same in cameras that are linked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mien.cameras.appearance import Appearance
from mien.cameras.clocks import Float64, fitted_clocks
from mien.cameras.recent import Tracklet
from mien.cameras.topology import Topology

CONVINCING = 2.0
"""Nats of appearance from which a pair of tracklets is taken for one person; wrong ones among them spread over time."""

FEWEST = 10
"""Pairs of tracklets that it takes to accuse a clock."""

SMALLEST = 10.0
"""Seconds off that are reported at the least; errors below people's usual time on the way cannot be told either."""


@dataclass(frozen=True, slots=True)
class ClockError:
    """A camera whose times do not fit the others'.

    Attributes:
        camera: its name.
        ahead: seconds that its clock is ahead of the others'; negative where it is behind.
        sightings: pairs of tracklets that say so.
    """

    camera: str
    ahead: float
    sightings: int

    def facts(self) -> dict[str, Any]:
        """What an event says about it, with the offset that would put it right."""
        return {
            "ahead": round(self.ahead, 1),
            "add_to_clock_offset": round(-self.ahead, 1),
            "sightings": self.sightings,
        }


def clock_errors(tracklets: Sequence[Tracklet], topology: Topology, appearance: Appearance) -> list[ClockError]:
    """The cameras whose clocks are off.

    Time plays no part in choosing the pairs of tracklets, so a clock that is hours off is found too. For two linked
    cameras their time differences, less what the link's travel times explain, pile up around the clocks' difference.
    Most clocks are taken to be right: the middle one is what the others are held against.

    Args:
        tracklets: `N`, with the topology's clock offsets added already.
        topology: cameras and links; without links nothing can be told.
        appearance: calibration of the embedder that made the vectors.

    Returns:
        Those that are off by more than `SMALLEST` seconds and more than people usually take from camera to camera, most
        wrong first; empty where all are right or too few people were seen.
    """
    names = topology.names
    ways = topology.ways()
    linked = [
        (first, second)
        for first in range(len(names))
        for second in range(first + 1, len(names))
        if (names[first], names[second]) in ways or (names[second], names[first]) in ways
    ]
    by_camera = {name: [tracklet for tracklet in tracklets if tracklet.camera == name] for name in names}
    differences = {}
    usual = [travel.longest - min(travel.shortest, 0.0) for travel, _ in ways.values()]
    for first, second in linked:
        expected = 0.0
        weight = 0.0
        for pair, sign in (((names[first], names[second]), 1), ((names[second], names[first]), -1)):
            if pair in ways:
                travel, share = ways[pair]
                expected += sign * share * travel.typical
                weight += share
        found = _differences(by_camera[names[first]], by_camera[names[second]], appearance)
        differences[first, second] = found - expected / weight
    fit = fitted_clocks(differences, len(names), window=float(np.median(usual)) if usual else 1.0, fewest=FEWEST)
    known = ~np.isnan(fit.offsets)
    if not known.any():
        return []
    tolerance = max(SMALLEST, float(np.median(usual)))
    ahead = np.median(fit.offsets[known]) - fit.offsets
    errors = [
        ClockError(names[camera], float(ahead[camera]), int(fit.shared[camera]))
        for camera in np.flatnonzero(known & (np.abs(np.nan_to_num(ahead)) > tolerance)).tolist()
    ]
    return sorted(errors, key=lambda error: -abs(error.ahead))


def _differences(first: Sequence[Tracklet], second: Sequence[Tracklet], appearance: Appearance) -> Float64:
    """Middle of the second minus middle of the first, of pairs that are each other's most similar, and convincing."""
    if not first or not second:
        return np.empty(0)
    cosine = np.stack([tracklet.vector for tracklet in first]) @ np.stack([tracklet.vector for tracklet in second]).T
    best = cosine.argmax(1)
    rows = np.flatnonzero(cosine.argmax(0)[best] == np.arange(len(first)))
    rows = rows[appearance.evidence(cosine[rows, best[rows]].astype(np.float64)) >= CONVINCING]
    middles = [np.array([(tracklet.start + tracklet.end) / 2 for tracklet in side]) for side in (first, second)]
    return np.asarray(middles[1][best[rows]] - middles[0][rows])
