"""What people of the demo ask: a registered study, a lottery that waits, Amara's goals, what districts elsewhere found."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone
from django.utils.translation import override

from staffroom.frameworks.models import Element
from staffroom.home.demo.keeping import Kept
from staffroom.home.demo.placing import District
from staffroom.knowing.impact.actions import (
    Round,
    add_applicants,
    evidence,
    growth,
    register_study,
    start_lottery,
    start_study,
)
from staffroom.knowing.impact.queries import schools_below, teachers_at
from staffroom.knowing.studies import bundles
from staffroom.records.actions import set_price_index

AIMS = {"number-talks-coaching": ("C1", "C3"), "exit-ticket-course": ("A2", "A4"), "mindset-workshop-days": ("D2",)}
ELSEWHERE = (("Lakeside School District", 0.19, 0.06, 61), ("Hillview School District", 0.11, 0.05, 84))
INDEXES = (("2023", "304.7"), ("2024", "313.7"), ("2025", "321.3"), ("2026", "329.1"))
SEATS = 24


def ask(district: District, kept: Kept) -> None:
    """All of it, through the deeds that pages use. Safe only once, in a district that has just been made."""
    with override("en"):
        _indexes(district)
        _goals(district, kept)
        _evidence(district, kept)
        _study(district, kept)
        _lottery(district, kept)


def _indexes(district: District) -> None:
    for year, value in INDEXES:
        set_price_index(
            by=None, organization=district.organization, kind="year", name=year, value=Decimal(value),
            source="Made up, in the manner of a consumer price index",
        )  # fmt: skip


def _goals(district: District, kept: Kept) -> None:
    elements = {element.code: element for element in Element.objects.filter(version__framework__organization=None)}
    denise, amara, priya = district.staff["denise"], district.amara, district.priya
    for activity in kept.activities:
        growth.set_aims(by=denise, activity=activity, elements=[elements[code] for code in AIMS[activity.slug]])
    checking = growth.declare_goal(by=amara, element=elements["A2"], why="I hear the same four students every day.")
    growth.declare_goal(by=amara, element=elements["C2"])
    growth.let_coach_see(by=amara, goal=checking, coach=priya)
    for code, level in (("C2", 3), ("A2", 1)):
        growth.note_standing(by=amara, person=amara, element=elements[code], level=level)
    growth.note_standing(by=priya, person=amara, element=elements["A2"], level=2)


def _evidence(district: District, kept: Kept) -> None:
    """What two districts found that use the same coaching."""
    for name, sd, se, teachers in ELSEWHERE:
        n = {"students": teachers * 22, "teachers": teachers, "schools": 9, "clusters": 9}
        told: dict[str, Any] = {
            "format": bundles.FORMAT, "organization": name, "activity": kept.activities[0].name, "outcome": kept.test.name,
            "estimator": "imputation", "tier": 3, "gates": [], "effect": {"sd": sd, "se": se}, "n": n,
        }  # fmt: skip
        evidence.take_in_bundle(
            by=district.staff["denise"],
            activity=kept.activities[0],
            content=json.dumps(bundles.signed(told, Ed25519PrivateKey.generate())).encode(),
            name="made-up.json",
        )


def _study(district: District, kept: Kept) -> None:
    """Registered today about results that are still to come."""
    today = timezone.localdate()
    study = start_study(
        by=district.staff["denise"], organization=district.organization, activities=kept.activities[:1], instrument=kept.test,
        name="Does coaching go on working?", smallest_effect=0.08,
        decision="Whether a second coach is hired for the schools that have none.",
        outcomes_from=today + timedelta(days=1), outcomes_until=today + timedelta(days=400),
    )  # fmt: skip
    register_study(by=district.staff["denise"], study=study)


def _lottery(district: District, kept: Kept) -> None:
    """More teachers want into the course than there are seats; nobody has announced it yet."""
    today, denise = timezone.localdate(), district.staff["denise"]
    lottery = start_lottery(
        by=denise, organization=district.organization, activity=kept.activities[2], name="Exit ticket course, next round",
        waves=[
            Round(name="First half", seats=SEATS, begins_on=today + timedelta(days=45)),
            Round(name="Second half", seats=SEATS, begins_on=today + timedelta(days=225)),
        ],
    )  # fmt: skip
    asking = teachers_at(district.organization, list(schools_below(district.organization)[:4]))[: 2 * SEATS]
    add_applicants(by=denise, lottery=lottery, teachers=asking, blocks={})
