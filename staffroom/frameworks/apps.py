from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FrameworksConfig(AppConfig):
    name = "staffroom.frameworks"
    label = "frameworks"
    verbose_name = _("Frameworks")

    def ready(self) -> None:
        from staffroom.frameworks import personal
        from staffroom.ui import navigation

        personal.declare_all()
        navigation.register(
            navigation.Entry("frameworks", _("Frameworks"), "book-open", "frameworks:list", 60, place="account")
        )
