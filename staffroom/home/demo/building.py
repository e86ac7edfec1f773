"""Build the demo district: draw, place, keep, show; media is drawn beside it in other processes."""

from __future__ import annotations

import tempfile
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from django.db import transaction

from staffroom.files import actions as files
from staffroom.files.models import File
from staffroom.frameworks.actions import install_default
from staffroom.home.demo import drawing, keeping, placing, world
from staffroom.home.demo.placing import PASSWORD, District
from staffroom.jobs.actions import run_waiting
from staffroom.knowing.impact.actions import compute_all
from staffroom.people.models import Person
from staffroom.permissions.actions import make_circle
from staffroom.seeing.lessons.demo import make_lessons

LESSONS_S = (330.0, 75.0, 60.0)
TOMS_S = 60.0


@dataclass(frozen=True)
class Built:
    """What was built, and whom to sign in as: (address, what they are)."""

    people: list[tuple[str, str]]
    truth: dict[str, float]
    password: str = PASSWORD


def build(*, teachers: int = 420, seed: int = 2, has_lessons: bool = True) -> Built:
    """Build the demo district: people and ledgers in one transaction, then lessons, the lake and the first estimates.

    The same numbers give the same district; without lessons it is there sooner. Raises ValueError for too small a district.
    """
    drawn = world.draw(teachers=teachers, seed=seed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="staffroom-demo-")))
        # A process of its own each: drawing takes as long as filling the ledgers, and neither waits for the other.
        pool = stack.enter_context(ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")))
        media = [
            _draw(pool, folder / f"lesson-{number}.mp4", length_s, seed + number)
            for number, length_s in enumerate((*LESSONS_S, TOMS_S) if has_lessons else (), 1)
        ]
        with transaction.atomic():
            install_default()
            district = placing.place(drawn, seed=seed)
            kept = keeping.keep(drawn, district, seed=seed)
        if has_lessons:
            _show(district, [_drawn(each) for each in media])
    run_waiting()
    compute_all(activities=kept.activities)
    return Built(_introductions(district), world.truth(drawn))


def _draw(pool: ProcessPoolExecutor, path: Path, length_s: float, seed: int) -> tuple[Path, Future[None]]:
    """Have a lesson drawn beside: by a module that knows no Django, since its process has not set it up."""
    return path, pool.submit(drawing.draw_lesson, path, duration_s=length_s, seed=seed)


def _drawn(drawing_now: tuple[Path, Future[None]]) -> Path:
    path, future = drawing_now
    future.result()
    return path


def _show(district: District, media: list[Path]) -> None:
    """Lessons of two teachers, clips between them and their coach, and a circle."""
    amara, tom, priya = district.amara, district.tom, district.priya
    make_circle(by=amara, name="Fractions circle", members=[tom, priya])
    sections = district.current_sections
    make_lessons(
        teacher=amara,
        files=[_taken(amara, path) for path in media[:-1]],
        section=sections[0],
        coach=priya,
        colleague=tom,
    )
    make_lessons(teacher=tom, files=[_taken(tom, media[-1])], section=sections[1], coach=priya)


def _taken(owner: Person, path: Path) -> File:
    return files.take_in(by=owner, name=path.name, stream_or_path=path, purpose="lesson")


def _introductions(district: District) -> list[tuple[str, str]]:
    named = [
        (district.amara, "teacher, who records her lessons"),
        (district.priya, "coach, whom Amara lent a clip"),
        (district.tom, "teacher across the hall"),
        (district.staff["grace"], "school leader"),
        (district.staff["denise"], "district leader, who asks what works"),
        (district.staff["omar"], "administrator"),
        (district.staff["ines"], "administrator (some things take two)"),
    ]
    return [(person.email or "", f"{person.full_name}, {words}") for person, words in named]
