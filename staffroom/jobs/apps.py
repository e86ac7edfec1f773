from django.apps import AppConfig
from django.tasks.signals import task_enqueued
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    name = "staffroom.jobs"
    label = "jobs"
    verbose_name = _("Jobs")

    def ready(self) -> None:
        from staffroom.jobs import actions, personal, schedules, tasks
        from staffroom.ui import navigation

        personal.declare_all()

        task_enqueued.connect(actions.give_job, dispatch_uid="staffroom.jobs")
        navigation.register(
            navigation.Entry("jobs", _("Jobs"), "list-checks", "jobs:list", 90, guard=_minds_jobs, place="account")
        )
        schedules.every(tasks.purge_finished, hours=24)


def _minds_jobs(person: object) -> bool:
    from staffroom.jobs import rules

    return rules.may_mind_jobs(person)
