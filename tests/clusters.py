"""Where a PostgreSQL of the tests lies."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def cluster_folder() -> Iterator[Path]:
    """A folder of the one who runs PostgreSQL, which does not run as root.

    Not below pytest's own: every run of pytest that begins on this machine closes that to others.
    """
    with tempfile.TemporaryDirectory(prefix="staffroom-pg-", ignore_cleanup_errors=True) as name:
        if os.geteuid() == 0:
            shutil.chown(name, "postgres")
        yield Path(name)
