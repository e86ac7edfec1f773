"""The same deeds later: ids in, action called, safe to run twice; and the hourly round."""

from __future__ import annotations

from typing import Any

from django.tasks import TaskResultStatus, task
from django.utils.translation import gettext as _

from staffroom.files import actions, keeping
from staffroom.files.models import Derivative, File
from staffroom.jobs.failures import GiveUp
from staffroom.jobs.queries import jobs_about


@task()
def look(file: int) -> str:
    """Look at a file that arrived."""
    found = File.objects.select_related("owner").filter(pk=file).first()
    return actions.look_at(found).state if found else "gone"


@task()
def make(derivative: int) -> str:
    """Make a derivative."""
    found = Derivative.objects.select_related("file").filter(pk=derivative).first()
    return actions.make(found).state if found else "gone"


@task()
def round_of_files() -> int:
    """Finish, expire and sweep uploads; clear the workbench; look again at files that were left waiting."""
    return actions.clear_uploads() + keeping.clear_workbench() + actions.look_again()


def note_last_failure(sender: Any, task_result: Any, **kwargs: Any) -> None:
    """A receiver of ``task_finished``: when the last attempt failed, the row says so too."""
    if task_result.status != TaskResultStatus.FAILED:
        return
    error = task_result.errors[-1].exception_class_path.rpartition(".")[2] if task_result.errors else ""
    if task_result.task.module_path == look.module_path:
        file = File.objects.filter(pk=task_result.kwargs.get("file")).first()
        if file:
            actions.look_failed(file, error)
    elif task_result.task.module_path == make.module_path:
        waiting = Derivative.objects.filter(pk=task_result.kwargs.get("derivative"), state=Derivative.State.WAITING)
        for derivative in waiting:
            job = jobs_about(derivative).first()
            told = job.failure if job and error == GiveUp.__name__ else derivative.failure
            actions.fail(derivative, told or _("This could not be made. An administrator can try it again."))
