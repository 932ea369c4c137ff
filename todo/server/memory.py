"""Memory that a crowd took, given back to the system once the crowd has gone."""

import ctypes
import gc

_TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; other allocators give back by themselves


def give_back() -> None:
    """Collects garbage and has the allocator return what is free, which it keeps for itself otherwise."""
    gc.collect()
    if _TRIM:
        _TRIM(0)
