"""make profile: flame graphs of one worker of the service, loaded with reads and then with writes."""

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from bench import wrk
from bench.servers import BIN, LOAD_CORE, WEB, environ_for, leave_nothing_behind, migrate, serving

RESULTS = Path(__file__).parent / "results"
SECONDS = 8
RATE = 250  # samples a second


def record(worker: int, file: Path) -> None:
    """Has py-spy watch, from the core of the load, who holds the interpreter, and draw it.

    Without --gil it takes threads that wait for work for busy ones. So what SQLite and the disk do is not in the graph.
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
    leave_nothing_behind()
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        environ = environ_for(Path(name))
        migrate(environ)
        with serving(WEB, environ) as server:
            wrk.prepare(server)
            for load in (wrk.GET, wrk.POST):
                file = RESULTS / f"profile-{load.name.lower()}.svg"
                loading = threading.Thread(target=wrk.run, args=(server, load, 32, SECONDS))
                loading.start()
                record(server.worker(), file)
                loading.join()
                print(f"Wrote {file}")


if __name__ == "__main__":
    main()
