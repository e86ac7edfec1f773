"""What the doors hear from the rooms below: people arrived, so that agents who wait may be among them."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.dispatch import receiver

from staffroom.exchange.actions import agents, marking
from staffroom.people import signals
from staffroom.people.models import Membership, Person, RosterImport
from staffroom.people.queries import district_around

ARRIVALS = {("Membership", "created"), ("Membership", "joined"), ("RosterImport", "imported")}


@receiver(signals.deed_done, dispatch_uid="staffroom.exchange.people_arrived")
def look_for_arrivals(sender: Any, *, by: Person | None, verb: str, object: str | models.Model, **more: Any) -> None:
    """Match waiting agents after somebody joined and after a roster was taken in."""
    if not isinstance(object, Membership | RosterImport) or (type(object).__name__, verb) not in ARRIVALS:
        return
    place = object.organization if isinstance(object, Membership) else object.district
    tenant = district_around(place.pk, place.path) or place.pk
    if agents.waiting_in(tenant).exists():
        marking.soon("staffroom.exchange.tasks.match_agents", tenant)
