from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HomeConfig(AppConfig):
    name = "staffroom.home"
    label = "home"
    verbose_name = _("Home")

    def ready(self) -> None:
        from staffroom.home import tasks
        from staffroom.jobs import rules, schedules
        from staffroom.people.rules import administers_anything
        from staffroom.ui import slots
        from staffroom.ui.navigation import Entry, register

        register(Entry("home", _("Home"), "house", "home:front", 0))
        register(Entry("my-record", _("My record"), "file-lock", "home:my_record", 90, place="account"))
        register(Entry("parts", _("Health"), "activity", "home:parts", 91, guard=rules.may_mind_jobs, place="account"))
        slots.fill("people:person", "home:erase_person", label=_("Erase"), guard=administers_anything)
        schedules.every(tasks.keep_retention, hours=24)
