from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PermissionsConfig(AppConfig):
    name = "staffroom.permissions"
    label = "permissions"
    verbose_name = _("Permissions")

    def ready(self) -> None:
        from staffroom.permissions import personal
        from staffroom.ui import navigation

        personal.declare_all()
        navigation.register(
            navigation.Entry("circles", _("Circles"), "users-round", "permissions:circles", 80, place="account")
        )
        navigation.register(
            navigation.Entry("consent", _("Consent"), "shield-check", "permissions:sections", 60, guard=_keeps_consent)
        )


def _keeps_consent(person: object) -> bool:
    """Teachers with a section, and those who keep consent at a school."""
    from staffroom.permissions import queries

    return queries.keeps_consent(person)
