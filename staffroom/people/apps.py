from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PeopleConfig(AppConfig):
    name = "staffroom.people"
    label = "people"
    verbose_name = _("People")

    def ready(self) -> None:
        from staffroom.people import listening  # noqa: F401  (connects itself)
