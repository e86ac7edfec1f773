from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class RecordsConfig(AppConfig):
    name = "staffroom.records"
    label = "records"
    verbose_name = _("Records")

    def ready(self) -> None:
        from staffroom.jobs import schedules
        from staffroom.records import listening, personal, tasks  # noqa: F401
        from staffroom.ui import navigation

        navigation.register(
            navigation.Entry("records", _("Records"), "notebook-tabs", "records:home", 60, guard=_has_records)
        )
        schedules.every(tasks.price_time, hours=1)
        schedules.every(tasks.refresh_lake, hours=1)
        schedules.every(tasks.forget_old_previews, hours=24)
        schedules.every(tasks.settle_awaited, minutes=5)
        schedules.every(tasks.make_months, hours=24)
        schedules.every(tasks.retire_months, hours=24)
        post_migrate.connect(_make_months, sender=self)


def _make_months(using: str, **_more: Any) -> None:
    from staffroom.records import months

    months.make_ahead(using)


def _has_records(person: object) -> bool:
    from staffroom.records import rules

    return rules.has_records(person)
