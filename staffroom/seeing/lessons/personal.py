"""What this room keeps about people. Read by "My record", export, retention and erasure.

Erasing a teacher removes her lessons with everything in them. Erasing a colleague removes the words of what she noted in somebody
else's clip; the moment itself goes with them, since a moment without words says nothing.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from staffroom.conversations import actions as conversations
from staffroom.people.models import Person
from staffroom.people.personal import declare
from staffroom.seeing.lessons import actions, exports, queries
from staffroom.seeing.lessons.models import Clip, Lesson, Moment, Sitting


def _erase_lessons(rows: QuerySet[Any], person: Person) -> int:
    lessons = list(rows)
    for lesson in lessons:
        actions.delete_lesson(by=person, lesson=lesson)
    return len(lessons)


def _erase_clips(rows: QuerySet[Any], person: Person) -> int:
    clips = list(rows)
    for clip in clips:
        actions.remove_clip(by=person, clip=clip)
    return len(clips)


def _erase_moments(rows: QuerySet[Any], person: Person) -> int:
    pks = list(rows.values_list("pk", flat=True))
    conversations.drop_threads(Moment, pks)
    Moment.objects.filter(pk__in=pks).delete()
    return len(pks)


def _purge_lessons(rows: QuerySet[Any]) -> int:
    lessons = list(rows.select_related("owner"))
    for lesson in lessons:
        actions.delete_lesson(by=lesson.owner, lesson=lesson)
    return len(lessons)


def _purge_clips(rows: QuerySet[Any]) -> int:
    clips = list(rows.select_related("lesson__owner"))
    for clip in clips:
        actions.remove_clip(by=clip.lesson.owner, clip=clip)
    return len(clips)


def _purge_moments(rows: QuerySet[Any]) -> int:
    return _erase_moments(rows, Person())


def _delete(rows: QuerySet[Any], person: Person) -> int:
    return int(rows.delete()[0])


def _gather_readers_of_lessons(lessons: list[Lesson]) -> None:
    clips = dict(Clip.objects.filter(lesson__in=lessons).order_by().values_list("pk", "lesson"))
    readers = queries.readers_of_clips(clips)
    for lesson in lessons:
        vars(lesson)["_readers"] = {name for pk, names in readers.items() if clips[pk] == lesson.pk for name in names}


def _gather_readers_of_clips(clips: list[Clip]) -> None:
    readers = queries.readers_of_clips(clip.pk for clip in clips)
    for clip in clips:
        vars(clip)["_readers"] = readers[clip.pk]


def _gather_readers_of_moments(moments: list[Moment]) -> None:
    _gather_readers_of_clips([moment.clip for moment in moments if moment.clip is not None])


def _readers_of(clip: Clip) -> set[str]:
    if "_readers" not in vars(clip):
        _gather_readers_of_clips([clip])
    readers: set[str] = vars(clip)["_readers"]
    return readers


def _lesson_readers(lesson: Lesson) -> str:
    if "_readers" not in vars(lesson):
        _gather_readers_of_lessons([lesson])
    names = ", ".join(sorted(vars(lesson)["_readers"]))
    return _("You; of its clips also %(names)s") % {"names": names} if names else _("You alone")


def _clip_readers(clip: Clip) -> str:
    names = ", ".join(sorted(_readers_of(clip)))
    return _("You and %(names)s") % {"names": names} if names else _("You alone")


def _moment_readers(moment: Moment) -> str:
    owner = moment.lesson.owner.full_name
    if moment.clip is None:
        return _("You alone") if moment.author_id == moment.lesson.owner_id else owner
    return ", ".join(sorted({owner} | _readers_of(moment.clip)))


# Long, as a table is: what is declared of each kind, one below the other.
def declare_all() -> None:
    declare(
        model=Lesson,
        what=gettext_lazy("Your recorded lessons"),
        why=gettext_lazy("So that you can see your own teaching"),
        how_long=gettext_lazy("One school year, or less where your district says so"),
        about=lambda person: Q(owner=person),
        erase=_erase_lessons,
        describe=lambda lesson: f"{lesson.title}, {date_format(lesson.taught_on)}",
        author=lambda lesson: lesson.owner.full_name,
        readers=_lesson_readers,
        gather=_gather_readers_of_lessons,
        export=exports.lesson_as_data,
        ends="ends_on",
        page=lambda lesson: lesson.get_absolute_url(),
        opened_page=lambda lesson: reverse("lessons:opened", args=[lesson.key]),
        owner=lambda lesson: lesson.owner,
        purge=_purge_lessons,
    )
    declare(
        model=Clip,
        what=gettext_lazy("Clips that you cut out of your lessons"),
        why=gettext_lazy("To lend them to colleagues"),
        how_long=gettext_lazy("As long as the lesson"),
        about=lambda person: Q(lesson__owner=person),
        erase=_erase_clips,
        describe=lambda clip: clip.title,
        author=lambda clip: clip.lesson.owner.full_name,
        readers=_clip_readers,
        gather=_gather_readers_of_clips,
        export=exports.clip_as_data,
        ends="ends_on",
        page=lambda clip: clip.get_absolute_url(),
        related=("lesson__owner",),
        purge=_purge_clips,
    )
    declare(
        model=Moment,
        what=gettext_lazy("What you noted, and what was noted in your lessons"),
        why=gettext_lazy("To come back to it and to talk about it"),
        how_long=gettext_lazy("As long as the lesson"),
        about=lambda person: Q(author=person) | Q(lesson__owner=person),
        erase=_erase_moments,
        describe=lambda moment: moment.text,
        author=lambda moment: moment.author.full_name if moment.author else _("somebody erased"),
        readers=_moment_readers,
        gather=_gather_readers_of_moments,
        export=exports.moment_as_data,
        ends="ends_on",
        page=lambda moment: moment.get_absolute_url(),
        related=("lesson__owner", "clip__lesson"),
        purge=_purge_moments,
    )
    declare(
        model=Sitting,
        what=gettext_lazy("How long you watched"),
        why=gettext_lazy("So that coaching time is logged by the act itself"),
        how_long=gettext_lazy("One school year, or less where your district says so"),
        about=lambda person: Q(person=person),
        erase=_delete,
        describe=lambda sitting: (
            _("%(minutes)s minutes on %(day)s")
            % {"minutes": round(sitting.active_s / 60), "day": date_format(sitting.began_at)}
        ),
        author=lambda sitting: _("Staffroom"),
        readers=lambda sitting: _("You; leaders see dates and minutes of coaching, never what was watched"),
        export=lambda sitting: {"began_at": sitting.began_at.isoformat(), "active_s": sitting.active_s},
        ends="ends_on",
    )
