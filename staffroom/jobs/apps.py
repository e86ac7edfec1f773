from django.apps import AppConfig
from django.tasks.signals import task_enqueued
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    name = "staffroom.jobs"
    label = "jobs"
    verbose_name = _("Jobs")

    def ready(self) -> None:
        from staffroom.jobs import actions, personal, schedules, tasks  # noqa: F401

        task_enqueued.connect(actions.give_job, dispatch_uid="staffroom.jobs")
        schedules.every(tasks.purge_finished, hours=24)
