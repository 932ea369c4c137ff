"""The machine that the results depend on."""

import os
import platform
import statistics
import tempfile
import time
from typing import Any

FSYNCS = 200


def about() -> dict[str, Any]:
    """Returns cores, memory and so on. The cost of an fsync distinguishes a disk from a RAM disk."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "fsync_us": fsync_us(),
        "python": platform.python_version(),
    }


def fsync_us() -> int:
    """Returns the median time to write and sync a page of a temporary file, in microseconds."""
    times = []
    with tempfile.TemporaryFile() as file:
        for _ in range(FSYNCS):
            begin = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - begin)
    return round(statistics.median(times) * 1e6)


def describe(machine: dict[str, Any]) -> str:
    """Returns the machine as one line of text."""
    return "{cores} cores, {memory_gib} GiB, fsync {fsync_us} us, {system}, Python {python}".format(**machine)
