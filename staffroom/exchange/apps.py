from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExchangeConfig(AppConfig):
    name = "staffroom.exchange"
    label = "exchange"
    verbose_name = _("Exchange")

    def ready(self) -> None:
        from staffroom.exchange import listening, personal, tasks  # noqa: F401
        from staffroom.jobs import schedules
        from staffroom.ui import navigation, slots

        navigation.register(navigation.Entry("tools", _("Tools"), "plug", "exchange:tools", 70, guard=_keeps_tools))
        slots.fill("records:activity", "exchange:hours", label=_("Hours from other programs"))
        schedules.every(tasks.forget_rejections, hours=24)
        schedules.every(tasks.forward_everywhere, minutes=1)
        schedules.every(tasks.match_everywhere, hours=24)
        schedules.every(tasks.count_all_days, minutes=30)


def _keeps_tools(person: object) -> bool:
    from staffroom.exchange import rules

    return rules.keeps_tools(person)
