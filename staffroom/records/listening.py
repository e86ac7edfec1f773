"""What the ledgers hear from rooms below them, which cannot call them: deeds to append, and people who were erased."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.dispatch import receiver

from staffroom.jobs.actions import later
from staffroom.people import signals
from staffroom.people.models import Person
from staffroom.records import actions, tasks
from staffroom.records.retired import RetiredMonth
from staffroom.records.vocabulary import verbs


@receiver(signals.deed_done, dispatch_uid="staffroom.records.deed_done")
def append_deed(sender: Any, *, by: Person | None, verb: str, object: str | models.Model, **more: Any) -> None:
    """Append a deed of a lower room, which names its verb in a word: ``deed_done.send(Section, by=…, verb="imported", object=…)``.

    A word that the vocabulary does not know is a mistake in that room, and is raised (AttributeError).
    """
    allowed = {"activity", "duration_s", "happened_at", "organization", "result", "context", "parent", "focus"}
    extra = {key: value for key, value in more.items() if key in allowed}
    actions.record(by=by, verb=getattr(verbs, verb.upper()), object=object, **extra)


@receiver(signals.person_erased, dispatch_uid="staffroom.records.person_erased")
def rewrite_lake(sender: Any, *, person: Person, **facts: Any) -> None:
    """Have the lake written without the person as soon as the erasure is committed."""
    later(tasks.refresh_lake, label="lake")
    if RetiredMonth.objects.exists():
        later(tasks.forget_in_lake, label="lake", person_key=str(person.key))
