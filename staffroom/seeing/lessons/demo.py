"""Demo lessons, made through the same actions as everybody's: a teacher watches, notes, lends a clip; her coach answers.

The composition of the demo brings persons and files that have been taken in already; nothing here draws or invents media.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from staffroom.files.models import File
from staffroom.frameworks.models import Element
from staffroom.frameworks.queries import elements_for
from staffroom.people.models import Person, Section
from staffroom.seeing.lessons import actions
from staffroom.seeing.lessons.models import Clip, Lesson


@dataclass(frozen=True)
class Note:
    """A moment of the demo: where in the lesson (as parts of its length), of what kind, tagged with which code, and its words."""

    start: float
    end: float | None
    kind: str
    code: str
    text: str


@dataclass(frozen=True)
class Plan:
    """One demo lesson: what it is called, how many days ago it was, and what its teacher noted in it."""

    title: str
    days_ago: int
    focus_code: str
    notes: tuple[Note, ...]


PLANS = (
    Plan(
        "Fractions: which pieces do we need?",
        3,
        "C2",
        (
            Note(
                0.08,
                None,
                "note",
                "B1",
                "I say what the lesson is for, but I say it twice and the second time differently.",
            ),
            Note(0.31, 0.36, "question", "C2", "This felt endless. Was it really four seconds?"),
            Note(0.62, None, "strength", "A3", "Asked how she got there before saying anything. It paid."),
        ),
    ),
    Plan(
        "Fractions: the same rule in two pictures",
        10,
        "B3",
        (
            Note(0.2, 0.27, "note", "B3", "Number line and bars side by side. Next time I ask first what is the same."),
            Note(0.7, None, "suggestion", "C4", "Only three voices until here."),
        ),
    ),
    Plan(
        "Exit question on unit fractions",
        24,
        "A2",
        (Note(0.5, None, "strength", "A2", "Everybody wrote before anybody spoke."),),
    ),
)
COACH_NOTES = (
    Note(
        0.33,
        0.36,
        "strength",
        "C2",
        "You asked, looked round the room and held it. Two hands went up in the last second.",
    ),
    Note(0.4, None, "question", "C3", "What would have happened if you had handed this answer to somebody else?"),
)
OWNER_REPLY = "I would have had to trust them. I will try it on Thursday, with the same task."
COACH_REPLY = "Then let us look at that minute together."


def make_lessons(
    *,
    teacher: Person,
    files: Sequence[File],
    section: Section | None = None,
    coach: Person | None = None,
    colleague: Person | None = None,
) -> list[Lesson]:
    """Give a teacher a lesson for each of her files (at most as many as there are plans), the first lent to her coach.

    The files are hers and have been looked at. A clip for the colleague is cut out of the second.
    """
    lessons = [_lesson(teacher, section, file, plan) for file, plan in zip(files, PLANS, strict=False)]
    if lessons and coach is not None:
        _coached_clip(teacher, coach, lessons[0])
    if len(lessons) > 1 and colleague is not None:
        clip = _clip(teacher, lessons[1], 0.18, 0.3, "One idea in two pictures", "Would this work in your room?")
        _lend(teacher, clip, colleague)
    return lessons


def _lesson(teacher: Person, section: Section | None, file: File, plan: Plan) -> Lesson:
    tags = _tags(teacher)
    lesson = actions.begin_lesson(
        by=teacher,
        title=plan.title,
        section=section,
        taught_on=timezone.localdate() - timedelta(days=plan.days_ago),
        focus_element=tags.get(plan.focus_code),
    )
    actions.attach_file(by=teacher, lesson=lesson, file=file)
    for note in plan.notes:
        _note(teacher, lesson, None, note, tags)
    return lesson


def _tags(person: Person) -> dict[str, Element]:
    return {element.code: element for element in elements_for(person)}


def _note(by: Person, lesson: Lesson, clip: Clip | None, note: Note, tags: dict[str, Element]) -> None:
    actions.note_moment(
        by=by,
        lesson=lesson,
        clip=clip,
        start_ms=_at(lesson, note.start),
        end_ms=None if note.end is None else _at(lesson, note.end),
        kind=note.kind,
        text=note.text,
        element=tags.get(note.code),
    )


def _at(lesson: Lesson, part: float) -> int:
    """A place in the lesson, on a whole second."""
    length = lesson.file.duration_ms if lesson.file else None
    return round((length or 60_000) * part / 1000) * 1000


def _clip(teacher: Person, lesson: Lesson, start: float, end: float, title: str, question: str) -> Clip:
    return actions.make_clip(
        by=teacher,
        lesson=lesson,
        start_ms=_at(lesson, start),
        end_ms=_at(lesson, end),
        title=title,
        question=question,
        has_moments=True,
    )


def _lend(teacher: Person, clip: Clip, reader: Person) -> None:
    until = timezone.now() + timedelta(days=14)
    actions.share_clip(by=teacher, clip=clip, audience="person", person=reader, until=until)


def _coached_clip(teacher: Person, coach: Person, lesson: Lesson) -> None:
    clip = _clip(teacher, lesson, 0.29, 0.45, "The wait after my question", "Did I wait long enough, twice?")
    _lend(teacher, clip, coach)
    actions.open_clip(by=coach, clip=clip)
    tags = _tags(coach)
    for note in COACH_NOTES:
        _note(coach, lesson, clip, note, tags)
    first = clip.moments.order_by("start_ms").first()
    if first is not None:
        actions.reply(by=teacher, about=first, text=OWNER_REPLY)
        actions.reply(by=coach, about=first, text=COACH_REPLY)
