"""What jobs hold about people: who asked for a piece of work, and how it is called."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_tasks_db.models import DBTaskResult

from staffroom.jobs.models import Job, Process, Schedule
from staffroom.people.models import Person
from staffroom.people.personal import declare, impersonal


def _forget(jobs: QuerySet[Job], person: Person) -> int:
    return jobs.update(by=None, label="", message="")


def _export(job: Job) -> dict[str, Any]:
    return {"kind": job.kind, "label": job.label, "state": job.state, "created_at": job.created_at.isoformat()}


def declare_all() -> None:
    declare(
        model=Job,
        what=gettext_lazy("Work done later that you asked for, such as the conversion of a video"),
        why=gettext_lazy("To show you how far it is, and to try it again when it fails."),
        how_long=gettext_lazy("Thirty days."),
        about=lambda person: Q(by=person),
        erase=_forget,
        describe=lambda job: f"{job} ({job.get_state_display()})",
        author=lambda job: _("you"),
        readers=lambda job: _("you; administrators see its kind and state"),
        export=_export,
        ends="ends_on",
    )
    impersonal(Schedule, "When a task of the program is due next.")
    impersonal(Process, "A process of the program.")
    impersonal(DBTaskResult, "Which task is to be called with which numbers of rows; removed with its job.")
