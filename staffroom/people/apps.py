from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PeopleConfig(AppConfig):
    name = "staffroom.people"
    label = "people"
    verbose_name = _("People")

    def ready(self) -> None:
        from django.tasks.signals import task_finished

        from staffroom.people import declarations, leftovers, listening, rules, tasks  # noqa: F401  (connects itself)
        from staffroom.ui import navigation
        from staffroom.ui.navigation import Entry

        declarations.declare_all()
        task_finished.connect(tasks.note_last_failure, dispatch_uid="people.note_last_failure")
        people = Entry("people", _("People"), "users", "people:people", 80, guard=rules.oversees_anything)
        sections = Entry("sections", _("Sections"), "school", "people:sections", 70, guard=rules.teaches_anywhere)
        security = Entry("security", _("Sign-in and security"), "key-round", "mfa_index", 90, place="account")
        for entry in (people, sections, security):
            navigation.register(entry)
