"""The demo's lessons, drawn in a process beside while the district is made: neither waits for the other. Knows no Django."""

from __future__ import annotations

import tempfile
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from staffroom.home.demo.drawing import draw_lesson

AMARAS_S = (240.0, 60.0, 45.0)
TOMS_S = 45.0


class Film:
    """Lessons on their way: Amara's and Tom's. Use as a context; the files are gone at its end."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._drawn: list[tuple[Path, Future[None]]] = []

    def __enter__(self) -> Film:
        self._folder = tempfile.TemporaryDirectory(prefix="staffroom-demo-")
        self._pool = ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn"))
        for number, length_s in enumerate((*AMARAS_S, TOMS_S), 1):
            path = Path(self._folder.name) / f"lesson-{number}.mp4"
            future = self._pool.submit(draw_lesson, path, duration_s=length_s, seed=self._seed + number)
            self._drawn.append((path, future))
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._folder.cleanup()

    def lessons(self) -> tuple[list[Path], Path]:
        """Amara's lessons and Tom's, once they are drawn."""
        for _path, future in self._drawn:
            future.result()
        *amaras, toms = [path for path, _future in self._drawn]
        return amaras, toms
