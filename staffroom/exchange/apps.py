from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExchangeConfig(AppConfig):
    name = "staffroom.exchange"
    label = "exchange"
    verbose_name = _("Exchange")

    def ready(self) -> None:
        from staffroom.exchange import personal, tasks  # noqa: F401
        from staffroom.jobs import schedules

        schedules.every(tasks.forget_rejections, hours=24)
