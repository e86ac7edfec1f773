"""The five measures as an activity's page shows them, and the sentences around its figures. What is not known says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from staffroom.knowing.impact import wording

if TYPE_CHECKING:
    from staffroom.knowing.impact.figures import Portrait

UNKNOWN = "—"


def five(portrait: Portrait) -> list[dict[str, str]]:
    """Impact, replicability, scalability, efficiency and cost, in this order."""
    return [
        {"measure": "impact", "label": _("Impact"), **_impact(portrait)},
        {
            "measure": "replicability", "label": _("Replicability"), "value": UNKNOWN,
            "range": _("Not yet known: needs estimates of at least three sites or cohorts."),
        },
        {
            "measure": "scalability", "label": _("Scalability"), "value": UNKNOWN,
            "range": _("Not yet known: needs effect and cost of several waves of teachers."),
        },
        {"measure": "efficiency", "label": _("Efficiency"), **_efficiency(portrait)},
        {"measure": "cost", "label": _("Cost"), **_cost(portrait)},
    ]  # fmt: skip


def _impact(portrait: Portrait) -> dict[str, str]:
    if portrait.effect is None:
        return {"value": UNKNOWN, "range": _("Not yet known: see the sentence above.")}
    likely = wording.interval(portrait.effect["low"], portrait.effect["high"])
    return {
        "value": wording.signed(portrait.effect["sd"]), "unit": _("SD"),
        "range": f"{likely}; {wording.behind(portrait.effect['size'])}",
        "note": portrait.tier_name, "tone": portrait.tier_tone,
    }  # fmt: skip


def _efficiency(portrait: Portrait) -> dict[str, str]:
    found = portrait.kept.get("efficiency") if portrait.kept else None
    if not found:
        return {"value": UNKNOWN, "range": _("Not yet known: needs an effect with its interval, and hours.")}
    is_bounded = found["shape"] == "bounded"
    likely = wording.interval(found["low"], found["high"]) if is_bounded else _("the interval has no end")
    said = _("for ten hours of a teacher, %(likely)s; %(hours)s hours each, %(teachers)s teachers") % {
        "likely": likely, "hours": wording.hours(found["hours_per_teacher"]), "teachers": wording.count(found["teachers"])}  # fmt: skip
    return {
        "value": wording.signed(found["ratio"]), "unit": _("SD"), "range": said, "note": portrait.tier_name,
        "tone": portrait.tier_tone,
    }  # fmt: skip


def _cost(portrait: Portrait) -> dict[str, str]:
    if portrait.said is None or portrait.said["costs"]["per_teacher"] is None:
        return {"value": UNKNOWN, "range": _("Not yet known: no ingredients, or too few people to show it.")}
    said = _("a teacher, for %(count)s teachers, beyond business as usual") % {
        "count": wording.count(portrait.said["teachers"])}  # fmt: skip
    if portrait.per_student is not None:
        said += "; " + _("%(amount)s a student taught") % {"amount": wording.dollars(portrait.per_student)}
    return {"value": wording.dollars(portrait.said["costs"]["per_teacher"]), "range": said}


def words_of(portrait: Portrait) -> dict[str, str]:
    """Figures with what has to be said beside them."""
    said, study = portrait.said, portrait.study
    words = {"gates": _gates_in_words(study) if study else "", "event_study": _event_study_in_words()}
    if said is None:
        return words
    planned = portrait.activity.planned_hours
    return {
        **words,
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


def _gates_in_words(study: Mapping[str, Any]) -> str:
    said = [_("Each check can only lower the tier of evidence, which follows the Every Student Succeeds Act.")]
    if study["mde"] is not None:
        said.append(
            _("The smallest effect that this many schools could reliably show is %(mde).2f SD.") % {"mde": study["mde"]}
        )
    if study["more_teachers"]:
        said.append(
            _("To see an effect of 0.10 SD about %(more)s more teachers would have to take part.")
            % {"more": wording.count(study["more_teachers"])}
        )
    return " ".join(said)


def _event_study_in_words() -> str:
    return (
        _(
            "Each dot compares the students of those who took part with what they would have scored otherwise, in SD with its "
            "95 %% interval, by terms since the first one of taking part. In the shaded time before, the dots should lie around "
            "zero. What stands on too few people is not shown."
        )
        % {}
    )
