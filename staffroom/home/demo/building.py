"""Build the demo district: draw, place, keep, show; media is drawn beside it in another process."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from django.db import connection, connections, transaction

from staffroom.files import actions as files
from staffroom.files.models import File
from staffroom.frameworks.actions import install_default
from staffroom.home.demo import asking, keeping, placing, world
from staffroom.home.demo.filming import Film
from staffroom.home.demo.placing import PASSWORD, District
from staffroom.jobs.actions import run_waiting
from staffroom.knowing.impact.actions import compute_all
from staffroom.people.models import Person
from staffroom.permissions.actions import make_circle
from staffroom.seeing.lessons.demo import make_lessons

MANY_TEACHERS = 5000
CACHE_KIB = 512 * 1024

type Tell = Callable[[str], None]


@dataclass(frozen=True)
class Built:
    """What was built, and whom to sign in as: (address, what they are)."""

    people: list[tuple[str, str]]
    truth: dict[str, float]
    password: str = PASSWORD


def build(*, teachers: int = 420, seed: int = 2, film: Film | None = None, tell: Tell = lambda _message: None) -> Built:
    """Build the demo district: people, then ledgers, then beside each other lessons (if there is a film) and the first estimates.

    The same numbers give the same district. Each step is a transaction: whoever builds sees to it that a district that was left
    half way is thrown away. `tell` hears how far it is. Raises ValueError for too small a district.
    """
    drawn = world.draw(teachers=teachers, seed=seed)
    if teachers >= MANY_TEACHERS and connection.vendor == "sqlite":
        with connection.cursor() as cursor:  # random keys go into indexes larger than the usual cache
            cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    with transaction.atomic():
        install_default()
        district = placing.place(drawn, seed=seed)
    tell(f"{drawn.schools:,} schools, {drawn.teachers:,} teachers, {drawn.students:,} students")
    kept = keeping.keep(drawn, district, seed=seed, tell=tell)
    with ThreadPoolExecutor(max_workers=1) as beside:
        shown = beside.submit(_show, district, film) if film else None
        compute_all(activities=kept.activities)
        tell("what works, computed")
        asking.ask(district, kept)
        if shown:
            run_waiting()
            shown.result()
            tell("lessons, ready to be watched")
    return Built(_introductions(district), world.truth(drawn))


def _show(district: District, film: Film) -> None:
    """Lessons of two teachers, clips between them and their coach, and a circle; then all that has to be made of the media."""
    try:
        amara, tom, priya = district.amara, district.tom, district.priya
        make_circle(by=amara, name="Fractions circle", members=[tom, priya])
        amaras, toms = film.lessons()
        own = [_taken(amara, path) for path in amaras]
        make_lessons(teacher=amara, files=own, section=district.current_section(0), coach=priya, colleague=tom)
        make_lessons(teacher=tom, files=[_taken(tom, toms)], section=district.current_section(1), coach=priya)
        run_waiting()
    finally:
        connections.close_all()


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
