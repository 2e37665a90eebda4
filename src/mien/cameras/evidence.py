"""How much speaks for it that a new tracklet shows somebody who is remembered: time and place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.cameras.topology import Topology
from mien.cameras.travel import Travel

Float64 = NDArray[np.float64]

_UNIFORM = 0.05
"""Share of those who go along no link who turn up at any time at all."""


class TravelEvidence:
    """Log-likelihood ratios of appearing in a camera after a time, given the camera of the last sighting.

    Somebody goes along one of the links of the camera they left, each with its share and its times, or with
    probability `stray` turns up in any camera. Somebody else appears in any camera at any time within `memory`. Where a
    topology has no link everybody strays: then time alone speaks.

    Args:
        topology: checked.
    """

    def __init__(self, topology: Topology) -> None:
        self._ways = {
            (topology.names.index(origin), topology.names.index(destination)): way
            for (origin, destination), way in topology.ways().items()
        }
        self._anywhere = Travel(*topology.anywhere)
        self._cameras = len(topology.cameras)
        self._memory = topology.memory
        leads_on = {origin for origin, _ in self._ways}
        self._stray = np.array([topology.stray if camera in leads_on else 1.0 for camera in range(self._cameras)])

    def __call__(self, origins: NDArray[np.int64], camera: int, gaps: Float64) -> Float64:
        """Ratios in nats.

        Args:
            origins: int64 `(N,)`, camera of each candidate's last sighting.
            camera: where the new tracklet is.
            gaps: float64 `(N,)`, seconds from the end of the last sighting to the start of the new one.

        Returns:
            float64 `(N,)`; finite.
        """
        anywhere = (1 - _UNIFORM) * self._anywhere.density(gaps) + _UNIFORM / self._memory
        likelihood = self._stray[origins] * anywhere / self._cameras
        for origin in np.unique(origins).tolist():
            way = self._ways.get((origin, camera))
            if way is not None:
                travel, share = way
                rows = origins == origin
                likelihood[rows] += (1 - self._stray[origin]) * share * travel.density(gaps[rows])
        return np.log(likelihood * self._cameras * self._memory)
