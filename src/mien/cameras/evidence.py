"""How much speaks for it that a new tracklet shows somebody who is remembered: time and place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.cameras.topology import Topology
from mien.cameras.travel import Travel

Float64 = NDArray[np.float64]

EVEN_SHARE = 0.2
"""Of those who go along no link, the share that turns up at any time at all."""


def stray_density(seconds: Float64, anywhere: Travel, memory: float) -> Float64:
    """Density in 1/s of the time after which somebody who goes along no link is seen again, `(N,)`."""
    return (1 - EVEN_SHARE) * anywhere.density(seconds) + EVEN_SHARE / memory


class TravelEvidence:
    """How likely it is that somebody appears in a camera after a time, given the camera of their last sighting.

    They go along one of the links of the camera they left, each with its share and its times, or with probability
    `stray` turn up in any camera after a time of `anywhere`.

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
        """Log densities, of nats and seconds.

        Args:
            origins: int64 `(N,)`, camera of each candidate's last sighting.
            camera: where the new tracklet is.
            gaps: float64 `(N,)`, seconds from the end of the last sighting to the start of the new one.

        Returns:
            float64 `(N,)`; finite.
        """
        density = self._stray[origins] * stray_density(gaps, self._anywhere, self._memory) / self._cameras
        for origin in np.unique(origins).tolist():
            way = self._ways.get((origin, camera))
            if way is not None:
                travel, share = way
                rows = origins == origin
                density[rows] += (1 - self._stray[origin]) * share * travel.density(gaps[rows])
        return np.log(density)
