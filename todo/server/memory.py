"""Returns memory to the system after many connections have closed."""

import ctypes
import gc

_TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; other allocators return memory by themselves


def release() -> None:
    """Collects garbage, and has the allocator return free memory to the system (malloc_trim)."""
    gc.collect()
    if _TRIM:
        _TRIM(0)
