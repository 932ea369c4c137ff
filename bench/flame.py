"""make profile: flame graphs of a worker under reads and then under writes."""

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from bench import wrk
from bench.record import RESULTS
from bench.servers import LOAD_CORE, environ_for, exit_on_sigterm, serving
from dev.processes import BIN, WEB, migrate

SECONDS = 8
RATE = 250  # samples a second


def record(worker: int, file: Path) -> None:
    """Samples the thread that holds the GIL with py-spy, which runs on the load's core, and writes the flame graph.

    Without --gil py-spy counts idle threads as busy. The graph therefore excludes time in SQLite and on disk.
    """
    command = [str(BIN / "py-spy"), "record", "--pid", str(worker), "--output", str(file), "--rate", str(RATE)]
    command += ["--duration", str(SECONDS - 2), "--gil"]
    spy = subprocess.run(
        command, preexec_fn=lambda: os.sched_setaffinity(0, {LOAD_CORE}), capture_output=True, text=True
    )
    if spy.returncode:
        sys.exit(spy.stderr)


def main() -> None:
    wrk.require()
    exit_on_sigterm()
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        environ = environ_for(Path(name))
        migrate(environ["DATABASE_URL"])
        with serving(WEB, environ) as server:
            wrk.prepare(server)
            for load in (wrk.GET, wrk.POST):
                file = RESULTS / f"profile-{load.name.lower()}.svg"
                loading = threading.Thread(target=wrk.run, args=(server, load, 32, SECONDS))
                loading.start()
                record(server.worker, file)
                loading.join()
                print(f"Wrote {file}")


if __name__ == "__main__":
    main()
