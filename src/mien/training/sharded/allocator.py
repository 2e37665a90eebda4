"""Memory for the CPU's tensors, kept instead of given back to the system after every layer."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # names of malloc.h
_LARGEST = 1 << 30  # glibc takes no more


def keep_memory() -> bool:
    """Tell glibc to keep freed memory and to take large blocks from it too.

    By default every large activation is mapped anew and zeroed by the kernel at each step. Costs memory only up to the
    peak that the process reaches anyway.

    Returns:
        Whether it was told; False on systems without glibc.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST) and mallopt(_TRIM_THRESHOLD, _LARGEST))
