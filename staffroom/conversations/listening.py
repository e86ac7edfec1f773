"""Facts that rooms below tell by signal and that become notices here: an end that comes near, a glass that was broken."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from staffroom.conversations import actions, notices
from staffroom.conversations.hosts import host_of
from staffroom.exchange import signals as exchange_signals
from staffroom.exchange.models import Destination
from staffroom.people import personal
from staffroom.people.models import Membership, Person, Role
from staffroom.people.rules import lasting
from staffroom.permissions import queries as permissions
from staffroom.permissions import signals as permissions_signals
from staffroom.permissions.models import BreakGlass


def _page_of(thing: models.Model | None) -> str:
    """Where a thing can be looked at: its declared page, its host's, or "My record"."""
    declared = personal.declaration_of(type(thing)) if thing is not None else None
    if declared and declared.page:
        return declared.page(thing) or "/my-record/"
    found = host_of(thing)
    return found.page(thing) if found else "/my-record/"


def tell_end(person: Person, thing: models.Model, ends_on: Any, **_rest: Any) -> None:
    actions.notify(recipient=person, kind="ends_soon", url=_page_of(thing), details={"ends_on": str(ends_on)})


def tell_broken_glass(break_glass: BreakGlass, **_rest: Any) -> None:
    actions.notify(recipient=break_glass.owner, kind="glass_broken", url=_page_of(break_glass.about))


def tell_asked_glass(break_glass: BreakGlass, **_rest: Any) -> None:
    """Its owner hears of the question too, not only of the answer; and those who can give the second word, that it waits."""
    actions.notify(recipient=break_glass.owner, kind="glass_asked", url=_page_of(break_glass.about))
    for administrator in permissions.who_may_answer(break_glass):
        actions.notify(recipient=administrator, kind="glass_waits", url="/break-glass/", actor=break_glass.asked_by)


def tell_unreachable(destination: Destination, **_rest: Any) -> None:
    """Whoever administers the district hears that another store takes nothing, once each time."""
    held = Membership.objects.filter(lasting(), role=Role.ADMINISTRATOR, organization=destination.tenant_id)
    for membership in held.select_related("person"):
        actions.notify(
            recipient=membership.person, kind="forwarding_stuck", url=f"/tools/forwarding/{destination.pk}/",
            details={"name": destination.name},
        )  # fmt: skip


def listen() -> None:
    notices.register("forwarding_stuck", _("“%(name)s” has taken no entries for an hour. What waits for it is kept."))
    exchange_signals.destination_unreachable.connect(tell_unreachable, dispatch_uid="conversations.tell_unreachable")
    notices.register("ends_soon", _("Something of yours ends on %(ends_on)s and will be deleted then."))
    notices.register("glass_broken", _("Two administrators opened something of yours, with a written reason."))
    notices.register("glass_asked", _("An administrator asked to open something of yours, with a written reason."))
    notices.register("glass_waits", _("%(actor)s asks for your word to open what only its owner may see."))
    permissions_signals.ends_soon.connect(tell_end, dispatch_uid="conversations.tell_end")
    permissions_signals.glass_broken.connect(tell_broken_glass, dispatch_uid="conversations.tell_broken_glass")
    permissions_signals.glass_asked.connect(tell_asked_glass, dispatch_uid="conversations.tell_asked_glass")
