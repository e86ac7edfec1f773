"""All activities in one view: each with its five measures, in groups that intervals allow, with a suggestion and its rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from staffroom.knowing import pictures
from staffroom.knowing.impact import comparing, drawing, queries, wording
from staffroom.knowing.impact.comparing import Suggestion
from staffroom.knowing.impact.models import Estimate, Tally
from staffroom.knowing.impact.showing import drawing_of, stat_of
from staffroom.records.models import Activity

OTHERS = 20

CSV_HEADER = (
    gettext_lazy("Activity"), gettext_lazy("Kind"), gettext_lazy("For"), gettext_lazy("Took part"), gettext_lazy("Measured by"),
    gettext_lazy("Effect in SD"), gettext_lazy("Low"), gettext_lazy("High"), gettext_lazy("How sure"), gettext_lazy("Next site, low"),
    gettext_lazy("Next site, high"), gettext_lazy("Chance of a gain at the next site"), gettext_lazy("Change with every doubling, SD"),
    gettext_lazy("Low"), gettext_lazy("High"), gettext_lazy("SD for ten hours"), gettext_lazy("Low"), gettext_lazy("High"),
    gettext_lazy("Cost per teacher, US cents"), gettext_lazy("Cost per student, US cents"), gettext_lazy("Group"),
    gettext_lazy("Suggestion"), gettext_lazy("Rule"), gettext_lazy("In words"),
)  # fmt: skip


@dataclass
class Entry:
    """One activity of the portfolio: what was added up, and the first of its answers."""

    activity: Activity
    tally: Tally | None
    estimates: Sequence[Estimate]
    at: str = ""
    """The organization in an address, where two chose the same name."""
    strip: dict[str, Any] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        address = reverse("impact:activity", args=[self.activity.slug])
        return address + (f"?{urlencode({'at': self.at})}" if self.at else "")

    @cached_property
    def said(self) -> dict[str, Any] | None:
        return self.tally.result if self.tally else None

    @property
    def estimate(self) -> Estimate | None:
        return self.estimates[0] if self.estimates else None

    @cached_property
    def answer(self) -> dict[str, Any] | None:
        """The answer without its lines, with the cost that the ledgers add up to."""
        found: dict[str, Any] | None = self.estimate.summary["brief"] if self.estimate else None
        if found is None:
            return None
        cost = found.get("cost") or {}
        each = self.said["costs"]["per_teacher"] if self.said else None
        if not cost.get("known") and each is not None:
            found = {**found, "cost": {"known": True, "per_teacher_usd_cents": each, "price_year": self._years}}
        return found

    @property
    def _years(self) -> Any:
        return self.said["costs"]["last_year"] if self.said else None

    @property
    def has_interval(self) -> bool:
        return comparing.has_interval(self.answer)

    @cached_property
    def facts(self) -> list[str]:
        return facts_of(self.said) if self.said else []

    @cached_property
    def measures(self) -> list[dict[str, str]]:
        """Those of the five that are known; the page says once what the others need."""
        found = pictures.five(self.answer, wording.translate) if self.answer else []
        return [stat_of(replace(each, behind="")) for each in found if each.is_known]

    @property
    def missing(self) -> str:
        known = {each["measure"] for each in self.measures}
        left = [each.label for each in pictures.five(self.answer or {}, wording.translate) if each.key not in known]
        return ", ".join(left)

    @cached_property
    def sentence(self) -> str:
        if self.estimate is None or not self.estimate.summary["sentence"]:
            return ""
        summary = self.estimate.summary
        return wording.sentence(summary["sentence"][0], is_higher_better=summary["is_higher_better"])

    @property
    def tier(self) -> str:
        return wording.tier(self.answer["tier"]) if self.answer and self.answer["effect"] else _("Not yet known")

    @property
    def tone(self) -> str:
        return wording.tier_tone(self.answer["tier"]) if self.answer and self.answer["effect"] else ""

    @cached_property
    def suggestion(self) -> Suggestion | None:
        return comparing.suggestion_for(self.answer)

    @property
    def group(self) -> str:
        return comparing.group_of(self.answer)

    @property
    def behind(self) -> str:
        """How many stand behind the estimate, and which test."""
        if self.estimate is None or self.answer is None:
            return ""
        return f"{wording.basis(self.answer['n'])}; {self.estimate.instrument.name}"

    @property
    def point(self) -> dict[str, Any]:
        """As a point of the planes."""
        return {**pictures.point_of(self.answer or {}, self.activity.name), "is_current": True}

    @property
    def cells(self) -> list[object]:
        """As a row of the file."""
        found = self.answer or {}
        effect, sites, waves = (found.get(name) or {} for name in ("effect", "replicability", "scalability"))
        slope, hours, cost = (
            waves.get("slope") or {},
            (found.get("efficiency") or {}).get("sd_per_10_hours") or {},
            found.get("cost") or {},
        )
        shown = effect if self.has_interval else {}
        return [
            self.activity.name, self.activity.get_kind_display(), self.activity.organization, "; ".join(self.facts),
            self.estimate.instrument if self.estimate else "", shown.get("sd"), shown.get("low"), shown.get("high"), self.tier,
            sites.get("prediction_low"), sites.get("prediction_high"), sites.get("probability_positive"), slope.get("sd"),
            slope.get("low"), slope.get("high"), hours.get("value"), hours.get("low"), hours.get("high"),
            cost.get("per_teacher_usd_cents"), cost.get("per_student_usd_cents"), comparing.groups()[self.group],
            self.suggestion.label if self.suggestion else "", self.suggestion.said if self.suggestion else "", self.sentence,
        ]  # fmt: skip


def facts_of(said: dict[str, Any]) -> list[str]:
    """Who took part, hours and cost, each with its unit."""
    if said["teachers"] == 0:
        return [_("Nobody has taken part yet.")]
    if said["teachers"] is None:
        return [_("Fewer than five teachers took part: too few to show.")]
    share = (
        _(" (%(share)s of those who teach now)") % {"share": wording.percent(said["share"])} if said["share"] else ""
    )
    cost = said["costs"]["per_teacher"]
    each = _("%(hours)s hours") % {"hours": wording.hours(said["hours_per_teacher"])}
    if cost is not None:
        each = _("%(hours)s and %(amount)s") % {"hours": each, "amount": wording.dollars(cost)}
    return [
        ngettext("%(count)s teacher took part%(share)s", "%(count)s teachers took part%(share)s", said["teachers"])
        % {"count": wording.count(said["teachers"]), "share": share},
        _("%(what)s each") % {"what": each},
    ]


def grouped(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Entries by where their whole interval lies, each with its strip on one scale for all."""
    known = [each for each in entries if each.has_interval]
    ends = [end for each in known for end in _ends(each)]
    scale = drawing.effect_scale(ends, 8, 352)
    for each in known:
        each.strip = strip_of(each, scale)
    found = {key: [each for each in entries if each.group == key] for key in comparing.groups()}
    return [{"key": key, "name": name, "entries": found[key]} for key, name in comparing.groups().items() if found[key]]


def _ends(entry: Entry) -> list[tuple[float, float]]:
    assert entry.answer is not None
    effect, sites = entry.answer["effect"], entry.answer.get("replicability") or {}
    next_site = (sites.get("prediction_low"), sites.get("prediction_high"))
    return [(effect["low"], effect["high"]), *([next_site] if None not in next_site else [])]


def strip_of(entry: Entry, scale: drawing.Scale) -> dict[str, Any]:
    """Dot and line of the effect, and behind them what the next site should expect."""
    assert entry.answer is not None
    ends = _ends(entry)
    found = drawing.strip(entry.answer["effect"], scale)
    if len(ends) > 1:
        start, end = scale.at(ends[1][0]), scale.at(ends[1][1])
        found["next"] = {"x": start, "wide": round(end - start, 1)}
    return found


def told_apart(entries: Sequence[Entry]) -> list[str]:
    """Sentences about pairs whose effects differ; empty where there are not two with an interval."""
    found = [(each.activity.name, each.answer) for each in entries if each.answer and each.has_interval]
    if len(found) < 2:
        return []
    pairs = comparing.apart(found)
    if not pairs:
        return [_("No two of them can be told apart: every difference may be chance.")]
    return [
        _("%(one)s gained more than %(other)s (p %(p)s, allowing for all pairs).")
        % {"one": one, "other": other, "p": f"= {p:.3f}" if p >= 0.001 else "< 0.001"}
        for one, other, p in pairs[:10]
    ]


def planes(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Gain against time and against cost, of all in one drawing each."""
    points = [each.point for each in entries if each.has_interval]
    drawn = (
        [pictures.frontier(points, wording.translate), pictures.cost_plane(points, wording.translate)]
        if len(points) > 1
        else []
    )
    return [{"picture": each, "drawing": drawing_of(each)} for each in drawn if each]


def others_of(viewer: object, activity: Activity) -> list[dict[str, Any]]:
    """Other activities that the viewer may know of and whose effect has an interval, as points; by name, at most so many."""
    found = [each for each in queries.activities_for(viewer) if each.pk != activity.pk]
    tallies, estimates = queries.tallies_of(found), queries.estimates_of(found)
    entries = [Entry(each, tallies.get(each.pk), estimates.get(each.pk, [])) for each in found]
    return [each.point for each in entries if each.has_interval][:OTHERS]
