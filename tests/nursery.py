"""Many processes in the CPU time of one start: a process that has imported everything forks whenever it is asked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NURSERY = """
import json, os, sys
import django
django.setup()
from staffroom.jobs import tasks, worker
exec(sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    if not (pid := os.fork()):
        os.dup2(2, 1)
        exec(json.loads(line), {})
        os._exit(0)
    print(pid, flush=True)
    print(os.waitpid(pid, 0)[1], flush=True)
"""
WORKER = "from staffroom.jobs import worker; worker.IDLE_S = 0.1; worker.WorkerLoop().run()"


class Nursery:
    """Runs lines of Python with Django set up, each time in a new process; one at a time, which may be killed at any moment.

    What takes long to import is told once, as `imports`.
    """

    def __init__(self, environment: dict[str, str], imports: str = "from staffroom.files import tasks") -> None:
        environment = {**environment, "DJANGO_SETTINGS_MODULE": "staffroom.settings"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", NURSERY, imports], env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        self.pid = 0
        assert self._heard() == "ready"

    def _heard(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def begin(self, code: str = WORKER) -> int:
        """Start a process (a worker, unless told); returns its number."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(code) + "\n")
        self.process.stdin.flush()
        self.pid = int(self._heard())
        return self.pid

    def await_end(self) -> int:
        """How the process ended: 0 well, 9 killed."""
        self.pid = 0
        return int(self._heard())

    def kill(self) -> None:
        """SIGKILL, if one runs; it is gone when this returns."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            self.await_end()

    def run(self, code: str) -> int:
        self.begin(code)
        return self.await_end()

    def close(self) -> None:
        self.kill()
        self.process.kill()
        self.process.wait()
