"""Memory of frames that pass from thread to thread, kept from scattering."""

from __future__ import annotations

import ctypes
import os

_M_ARENA_MAX = -8
_ARENAS = 2


def share_arenas() -> bool:
    """Lets all threads take memory from two pools; for programs that watch for hours, before their threads begin.

    glibc gives each new thread a pool of its own. A frame that one thread decoded and another gives back leaves a hole
    in the first one's pool, and over hours holes grow. `benchmarks/cameras.py` shows it: with a pool a thread the
    memory of four cameras grew in every quarter of 10,800 frames, with two pools it is flat over 72,000.

    Returns:
        Whether it took effect: not without glibc, nor where the environment says `MALLOC_ARENA_MAX` itself.
    """
    if os.name != "posix" or "MALLOC_ARENA_MAX" in os.environ:
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(_M_ARENA_MAX, _ARENAS) == 1
