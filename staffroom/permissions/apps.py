from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PermissionsConfig(AppConfig):
    name = "staffroom.permissions"
    label = "permissions"
    verbose_name = _("Permissions")

    def ready(self) -> None:
        from staffroom.people.rules import administers_anything
        from staffroom.permissions import personal
        from staffroom.ui import navigation

        personal.declare_all()
        navigation.register(
            navigation.Entry("circles", _("Circles"), "users-round", "permissions:circles", 80, place="account")
        )
        navigation.register(
            navigation.Entry("consent", _("Consent"), "shield-check", "permissions:sections", 60, guard=_keeps_consent)
        )
        for key, label, icon, page, rank in (
            ("policy", _("Policy"), "shield-check", "permissions:policy", 92),
            ("break-glass", _("Break glass"), "file-lock", "permissions:glass_requests", 93),
        ):
            navigation.register(
                navigation.Entry(key, label, icon, page, rank, guard=administers_anything, place="account")
            )


def _keeps_consent(person: object) -> bool:
    """Teachers with a section, and those who keep consent at a school."""
    from staffroom.permissions import queries

    return queries.keeps_consent(person)
