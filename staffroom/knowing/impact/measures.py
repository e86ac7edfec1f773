"""The five measures of an activity, and the sentences around its figures. What is not known says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from staffroom.knowing.impact import wording
from staffroom.knowing.impact.showing import Result

if TYPE_CHECKING:
    from staffroom.knowing.impact.figures import Portrait


def five(portrait: Portrait) -> list[dict[str, str]]:
    """Impact, replicability, scalability, efficiency and cost, in this order; without an answer the cost alone."""
    if portrait.result is not None:
        return portrait.result.measures
    nothing = {"estimator": "describe", "effect": None, "n": {}, "cost": cost_of(portrait)}
    return Result(nothing).measures


def cost_of(portrait: Portrait) -> dict[str, Any]:
    """The cost of an answer, from what the ledgers add up to: beyond business as usual, in US cents."""
    costs = portrait.said["costs"] if portrait.said else {}
    if costs.get("per_teacher") is None:
        return {"known": False}
    return {
        "known": True, "total_usd_cents": costs["net"], "per_teacher_usd_cents": costs["per_teacher"],
        "per_student_usd_cents": portrait.per_student, "price_year": portrait.price_years or None,
        "marginal_teacher_usd_cents": None, "sd_per_1000_usd": None, "acceptability": [],
    }  # fmt: skip


def words_of(portrait: Portrait) -> dict[str, str]:
    """Figures with what has to be said beside them."""
    said = portrait.said
    if said is None:
        return {}
    planned = portrait.activity.planned_hours
    return {
        "teachers": wording.count(said["teachers"]),
        "share": _("%(share)s of the %(count)s who teach there now") % {
            "share": wording.percent(said["share"]), "count": wording.count(said["teachers_now"])}
        if said["share"] is not None else "",
        "hours_each": wording.hours(said["hours_per_teacher"]),
        "planned": _("%(hours)s were planned") % {"hours": wording.hours(float(planned))} if planned else "",
        "hours": wording.hours(said["hours"]),
        "others": _("and %(hours)s hours of %(people)s coaches and others") % {
            "hours": wording.hours(said["others_hours"]), "people": wording.count(said["others"])}
        if said["others"] else "",
        "participation": _participation_in_words(portrait),
        "costs": _costs_in_words(portrait),
    }  # fmt: skip


def _participation_in_words(portrait: Portrait) -> str:
    shown = _("Bars: teachers who took part in a term, on the left axis. Line: their hours, on the right axis.")
    hidden = _("Terms with fewer than five teachers are not shown, nor what they would follow from.")
    return f"{shown} {hidden}" if portrait.participation["is_partly_hidden"] else shown


def _costs_in_words(portrait: Portrait) -> str:
    """In which prices, and what is missing from them."""
    assert portrait.said is not None
    said = [_("Ingredients at their prices of %(years)s, whoever pays, to the cent.") % {"years": portrait.price_years}]
    missing = portrait.said["hours_without_price"]
    if missing:
        said.append(
            _("%(hours)s hours of people's time have no wage on the price list and are not in it.")
            % {"hours": wording.hours(missing)}
        )
    return " ".join(said) if portrait.price_years or missing else ""
