"""Ports of the servers that tests start, each given once."""

from __future__ import annotations

import contextlib
import os
import random
import socket

EACH = 1000
_mine = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 10
# Below those that the system lends to connections, so that nobody takes one while its server is dead; for each process of the suite others.
_left = random.SystemRandom().sample(range(20_000 + _mine * EACH, 20_000 + (_mine + 1) * EACH), EACH)


def steady_port() -> int:
    """A free port that stays its server's, also while that is not there."""
    while _left:
        port = _left.pop()
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")
