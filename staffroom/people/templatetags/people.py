"""Tags of the pages about people and their sign-in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from allauth.socialaccount.adapter import get_adapter
from django import template
from django.conf import settings
from django.template import Context
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

register = template.Library()

BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("CrOS", "Chromebook"), ("Windows", "Windows"),
           ("Mac OS", "Mac"), ("Linux", "Linux"))  # fmt: skip


@dataclass(frozen=True)
class Page:
    label: str | Promise
    url: str
    is_current: bool


SECURITY = (
    (gettext_lazy("Second factor"), "mfa_index", "/2fa/"),
    (gettext_lazy("Password"), "account_change_password", "/password/"),
    (gettext_lazy("Email"), "account_email", "/email/"),
    (gettext_lazy("Devices"), "usersessions_list", "/sessions/"),
    (gettext_lazy("District sign-in"), "socialaccount_connections", "/3rdparty/"),
)


@register.filter
def in_lines(parts: Iterable[str]) -> str:
    return "\n".join(parts)


@register.simple_tag
def site_address() -> str:
    """Where this site is reached, for the foot of mails."""
    return str(settings.SITE_URL)


@register.simple_tag(takes_context=True)
def security_pages(context: Context) -> list[Page]:
    """The pages about one's own sign-in; that about outside services only where there are any."""
    request = context["request"]
    has_services = bool(get_adapter().list_providers(request))
    return [
        Page(label, reverse(name), part in request.path)
        for label, name, part in SECURITY
        if has_services or name != "socialaccount_connections"
    ]


@register.simple_tag
def sign_up_is_open() -> bool:
    return bool(settings.OPEN_SIGN_UP)


@register.filter
def browser(user_agent: str) -> str:
    """What a browser calls itself, in two words."""
    name = next((word for mark, word in BROWSERS if mark in user_agent), "")
    system = next((word for mark, word in SYSTEMS if mark in user_agent), "")
    if name and system:
        return _("%(browser)s on %(system)s") % {"browser": name, "system": system}
    return name or system or _("Unknown browser")


FOUND = {
    "schools": gettext_lazy("Schools"),
    "staff": gettext_lazy("Staff"),
    "students": gettext_lazy("Students"),
    "sections": gettext_lazy("Sections"),
    "enrollments": gettext_lazy("Enrollments"),
    "problems": gettext_lazy("Rows left out"),
    "skipped": gettext_lazy("Not needed"),
}
THINGS = {
    "schools": gettext_lazy("schools"),
    "terms": gettext_lazy("terms"),
    "courses": gettext_lazy("courses"),
    "persons": gettext_lazy("people"),
    "roles": gettext_lazy("roles"),
    "sections": gettext_lazy("sections"),
    "enrollments": gettext_lazy("enrollments"),
}
DEEDS = {
    "made": gettext_lazy("new"),
    "changed": gettext_lazy("changed"),
    "ended": gettext_lazy("ended"),
    "recognized": gettext_lazy("recognized by their address"),
}


@register.filter
def found_in_words(counts: dict[str, dict[str, int]]) -> list[tuple[str, int]]:
    """What a roster names, as labels and counts; problems and what was not needed only where there are any."""
    found = counts.get("found", {})
    always = ("schools", "staff", "students", "sections", "enrollments")
    return [(str(label), found.get(key, 0)) for key, label in FOUND.items() if key in always or found.get(key)]


@register.filter
def done_in_words(counts: dict[str, dict[str, int]]) -> list[tuple[str, int]]:
    """What taking a roster in changed: "students new: 12"."""
    return [(_in_words(key), count) for key, count in counts.get("done", {}).items()]


def _in_words(key: str) -> str:
    thing, _underscore, deed = key.partition("_")
    return f"{THINGS.get(thing, thing)} {DEEDS.get(deed, deed)}"
