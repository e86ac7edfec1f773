"""What a page about an activity shows, made of what was kept: the same numbers for the page, the CSV file and the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from staffroom.knowing.impact import drawing, wording
from staffroom.knowing.impact.models import Estimate, Tally
from staffroom.people.models import Role
from staffroom.records import money
from staffroom.records.models import Activity, Cost, Instrument, Statement
from staffroom.records.vocabulary import verb_label

type Cells = list[object]


@dataclass
class Portrait:
    """One activity on one instrument, as far as it has been computed."""

    activity: Activity
    instrument: Instrument | None
    tally: Tally | None
    estimate: Estimate | None

    @cached_property
    def said(self) -> dict[str, Any] | None:
        """What the ledgers add up to."""
        return self.tally.result if self.tally else None

    @cached_property
    def kept(self) -> dict[str, Any] | None:
        """What the estimate says."""
        return self.estimate.result if self.estimate else None

    @cached_property
    def study(self) -> dict[str, Any] | None:
        return self.kept["study"] if self.kept else None

    @property
    def is_higher_better(self) -> bool:
        return bool(self.kept["is_higher_better"]) if self.kept else True

    def say(self, kept: Sequence[Mapping[str, Any]]) -> str:
        return wording.sentences(kept, is_higher_better=self.is_higher_better)

    @property
    def headline(self) -> str:
        return self.say(self.study["sentence"]) if self.study else ""

    @property
    def further_reasons(self) -> list[str]:
        return [self.say([each]) for each in self.study["reasons"][1:]] if self.study else []

    @property
    def warnings(self) -> list[str]:
        return [self.say([each]) for each in self.study["warnings"]] if self.study else []

    @property
    def effect(self) -> dict[str, Any] | None:
        """The effect, if it may be shown as a number: with its interval."""
        found = self.study["effect"] if self.study else None
        return found if found and found["low"] is not None else None

    @property
    def tier(self) -> int | None:
        return self.study["tier"] if self.study and self.study["effect"] else None

    @property
    def tier_name(self) -> str:
        return wording.tier(self.tier) if self.tier else _("Not yet known")

    @property
    def tier_tone(self) -> str:
        return wording.tier_tone(self.tier) if self.tier else ""

    @property
    def basis(self) -> str:
        """How much the estimate stands on, in a line."""
        if self.study is None or self.kept is None:
            return ""
        n = self.study["n"]
        return _(
            "%(treated)s teachers who took part, %(others)s to compare with, %(schools)s schools, %(results)s results of "
            "%(students)s students in %(terms)s terms"
        ) % {
            "treated": wording.count(n["treated_teachers"]), "others": wording.count(n["untreated_teachers"]),
            "schools": n["clusters"], "results": wording.count(n["results"]),
            "students": wording.count(self.kept["students"]), "terms": n["terms"],
        }  # fmt: skip

    # --- The five measures -------------------------------------------------------------------------------------------

    @property
    def measures(self) -> list[dict[str, str]]:
        return [self._impact(), self._replicability(), self._scalability(), self._efficiency(), self._cost()]

    def _impact(self) -> dict[str, str]:
        name = {"measure": "impact", "label": _("Impact")}
        if self.effect is None or self.study is None:
            return {**name, "value": "—", "range": _("Not yet known: see the sentence above.")}
        points = _("%(index)s percentile points for a student in the middle") % {
            "index": wording.signed(self.study["improvement_index"], 0)}  # fmt: skip
        return {
            **name, "value": wording.signed(self.effect["sd"]), "unit": _("SD"),
            "range": f"{wording.interval(self.effect['low'], self.effect['high'])}; {points}; "
            f"{wording.behind(self.effect['size'])}",
            "note": self.tier_name, "tone": self.tier_tone,
        }  # fmt: skip

    def _replicability(self) -> dict[str, str]:
        return {
            "measure": "replicability", "label": _("Replicability"), "value": "—",
            "range": _("Not yet known: needs estimates of at least three sites or cohorts."),
        }  # fmt: skip

    def _scalability(self) -> dict[str, str]:
        return {
            "measure": "scalability", "label": _("Scalability"), "value": "—",
            "range": _("Not yet known: needs effect and cost of several waves of teachers."),
        }  # fmt: skip

    def _efficiency(self) -> dict[str, str]:
        name = {"measure": "efficiency", "label": _("Efficiency")}
        found = self.kept.get("efficiency") if self.kept else None
        if not found:
            return {**name, "value": "—", "range": _("Not yet known: needs an effect with its interval, and hours.")}
        is_bounded = found["shape"] == "bounded"
        likely = (
            wording.interval(found["low"], found["high"])
            if is_bounded
            else _("nothing bounds it: the interval has no end")
        )
        hours = _("%(hours)s hours each, %(teachers)s teachers") % {
            "hours": wording.hours(found["hours_per_teacher"]), "teachers": found["teachers"]}  # fmt: skip
        return {**name, "value": wording.signed(found["ratio"]), "unit": _("SD per 10 hours"), "range": f"{likely}; {hours}",
                "note": self.tier_name, "tone": self.tier_tone}  # fmt: skip

    def _cost(self) -> dict[str, str]:
        name = {"measure": "cost", "label": _("Cost")}
        if self.said is None or self.said["costs"]["per_teacher"] is None:
            return {**name, "value": "—", "range": _("Not yet known: no ingredients, or too few people to show it.")}
        parts = [
            _("for each of %(count)s teachers, beyond business as usual")
            % {"count": wording.count(self.said["teachers"])}
        ]
        if self.per_student is not None:
            parts.append(_("%(amount)s a student taught") % {"amount": wording.dollars(self.per_student)})
        return {**name, "value": wording.dollars(self.said["costs"]["per_teacher"]), "unit": _("a teacher"),
                "range": "; ".join(parts)}  # fmt: skip

    @property
    def students_taught(self) -> int | None:
        return self.kept.get("students_taught") if self.kept else None

    @property
    def per_student(self) -> int | None:
        """Net cost per student with results whose teacher took part, in cents."""
        if not self.students_taught or self.said is None or self.said["costs"]["net"] is None:
            return None
        return money.share_cents(self.said["costs"]["net"], self.students_taught)

    @cached_property
    def words(self) -> dict[str, str]:
        """Figures of the page that stand in sentences."""
        return words_of(self)

    # --- Tables and drawings ---------------------------------------------------------------------------------------------

    @property
    def participation(self) -> dict[str, Any]:
        rows = [{**row, "name": row["name"] or _("between terms")} for row in self.said["by_term"]] if self.said else []
        return {
            "columns": [_("Term"), _("Teachers"), _("Hours")],
            "rows": [[row["name"], wording.count(row["teachers"]), wording.hours(row["hours"])] for row in rows],
            "drawing": drawing.bars_and_line(rows),
            "is_partly_hidden": any(row["teachers"] is None for row in rows),
        }

    @property
    def cost_rows(self) -> list[Cells]:
        """Name, total, per teacher, per student; business as usual with a minus before it."""
        if self.said is None:
            return []
        rows = [
            [wording.ingredient(line["kind"], line["role"]), line["lines"], *self._shares(line["amount"])]
            for line in self.said["costs"]["lines"]
            if not line["is_business_as_usual"]
        ]
        usual = [
            [
                _("%(what)s, spent anyway") % {"what": wording.ingredient(line["kind"], line["role"])},
                line["lines"],
                *self._shares(None if line["amount"] is None else -line["amount"]),
            ]
            for line in self.said["costs"]["lines"]
            if line["is_business_as_usual"]
        ]
        return rows + usual

    @property
    def cost_total(self) -> Cells:
        return self._shares(self.said["costs"]["net"]) if self.said else []

    def _shares(self, cents: int | None) -> Cells:
        among = [self.said["teachers"] if self.said else None, self.students_taught]
        parts = [None if cents is None or not many else money.share_cents(cents, many) for many in among]
        return [wording.dollars(cents), *("–" if part is None else wording.dollars(part) for part in parts)]

    @property
    def price_years(self) -> str:
        costs = self.said["costs"] if self.said else {"first_year": None, "last_year": None}
        first, last = costs["first_year"], costs["last_year"]
        return "" if first is None else str(first) if first == last else f"{first}–{last}"

    @property
    def event_lines(self) -> list[dict[str, Any]]:
        """Differences before and effects since taking part, in order; hidden ones say so."""
        return [*self.kept["leads"], *self.study["by_event_time"]] if self.kept and self.study else []

    @property
    def event_study(self) -> dict[str, Any]:
        lines = self.event_lines
        return {
            "columns": [_("When"), _("SD"), _("95 % interval"), _("Teachers"), _("Results")],
            "rows": [[wording.since(line["key"]), *_numbers(line)] for line in lines],
            "drawing": drawing.event_study([line for line in lines if not line.get("hidden")]),
        }

    @property
    def groups(self) -> dict[str, Any]:
        """Effects by the term in which teachers began."""
        lines = self.study["by_group"] if self.study and self.kept else []
        terms = self.kept["terms"] if self.kept else []
        return {
            "columns": [_("Began in"), _("SD"), _("95 % interval"), _("Teachers"), _("Results")],
            "rows": [[terms[line["key"]]["name"], *_numbers(line)] for line in lines],
        }

    @property
    def comparisons(self) -> dict[str, Any]:
        """Other estimators, beside the headline and never in its place."""
        named = (
            (_("Headline: imputation"), "effect"),
            (_("Callaway–Sant’Anna"), "callaway_santanna"),
            (_("Two-way fixed effects"), "twfe"),
        )
        found = [(name, self.study[key]) for name, key in named if self.study and self.study[key]]
        return {
            "columns": [_("Estimator"), _("SD"), _("95 % interval"), _("Teachers"), _("Results")],
            "rows": [[name, *_numbers(line)] for name, line in found],
        }

    @property
    def gates(self) -> list[dict[str, Any]]:
        return [
            {
                "name": wording.gate_name(gate["name"]),
                "passed": gate["passed"],
                "sentence": self.say([gate["sentence"]]),
            }
            for gate in (self.study["gates"] if self.study else [])
        ]

    @property
    def outcomes(self) -> dict[str, Any]:
        """Per term: teachers and results with and without taking part."""
        columns = [_("Term"), _("Taking part: teachers"), _("results"), _("Others: teachers"), _("results")]
        return {"columns": columns, "rows": self._outcome_rows() if self.kept else []}

    def _outcome_rows(self) -> list[Cells]:
        assert self.kept is not None
        return [
            [
                term["name"],
                *(wording.count(cell[side][what]) for side in ("with", "without") for what in ("teachers", "results")),
            ]
            for term, cell in zip(self.kept["terms"], self.kept["cells"], strict=True)
        ]

    # --- Files and programs ------------------------------------------------------------------------------------------------

    def as_json(self) -> dict[str, Any]:
        """All of it, for programs; the sentences as well."""
        return {
            "activity": {
                "slug": self.activity.slug, "name": self.activity.name, "kind": self.activity.kind,
                "organization": self.activity.organization.slug,
            },
            "instrument": {"slug": self.instrument.slug, "name": self.instrument.name} if self.instrument else None,
            "headline": self.headline,
            "tier": self.tier,
            "computed_at": self.tally.computed_at.isoformat() if self.tally else None,
            "tally": self.said,
            "estimate": self.kept,
            "per_student_usd_cents": self.per_student,
        }  # fmt: skip

    def lines(self) -> Iterator[Cells]:
        """The same as rows of a table: CSV_HEADER."""
        yield from self._tally_lines()
        yield from self._effect_lines()
        yield from self._gate_lines()

    def _tally_lines(self) -> Iterator[Cells]:
        said = self.said
        if said is None:
            return
        for name in (
            "teachers",
            "share",
            "hours",
            "hours_per_teacher",
            "others",
            "others_hours",
            "hours_without_price",
        ):
            yield ["participation", name, said[name], None, None, None, None, None]
        for row in said["by_term"]:
            yield ["participation", f"hours: {row['name']}", row["hours"], None, None, row["teachers"], None, None]
        for line in said["costs"]["lines"]:
            part = "business as usual" if line["is_business_as_usual"] else "cost"
            name = f"{line['kind']} {line['role']} (US cents)".replace("  ", " ")
            yield [part, name, line["amount"], None, None, None, None, None]
        for name in ("total", "business_as_usual", "net", "per_teacher"):
            yield ["cost", f"{name} (US cents)", said["costs"][name], None, None, said["teachers"], None, None]
        yield ["cost", "per_student (US cents)", self.per_student, None, None, None, None, None]

    def _effect_lines(self) -> Iterator[Cells]:
        if self.study is None or self.kept is None:
            return
        yield ["effect", "headline", self.headline, None, None, None, None, self.tier]
        for name in ("effect", "callaway_santanna", "twfe"):
            if self.study[name]:
                yield ["effect", name, *_raw(self.study[name]), self.tier]
        for line in self.event_lines:
            yield ["by terms since taking part", line["key"], *_raw(line), self.tier]
        for line in self.study["by_group"]:
            yield ["by first term", self.kept["terms"][line["key"]]["name"], *_raw(line), self.tier]
        found = self.kept.get("efficiency")
        if found:
            yield [
                "efficiency",
                "SD per 10 hours",
                found["ratio"],
                found["low"],
                found["high"],
                found["teachers"],
                None,
                self.tier,
            ]
        yield ["effect", "minimum detectable effect", self.study["mde"], None, None, None, None, None]

    def _gate_lines(self) -> Iterator[Cells]:
        for gate in self.study["gates"] if self.study else []:
            said = self.say([gate["sentence"]])
            yield ["gate", f"{gate['name']}: {said}", gate["passed"], None, None, None, None, gate["ceiling"]]
        if self.kept:
            for term, cell in zip(self.kept["terms"], self.kept["cells"], strict=True):
                for side in ("with", "without"):
                    name, found = f"{term['name']}, {side} taking part", cell[side]
                    yield ["outcomes", name, None, None, None, found["teachers"], found["results"], None]


def words_of(portrait: Portrait) -> dict[str, str]:
    """Figures with what has to be said beside them."""
    said, study = portrait.said, portrait.study
    words = {"gates": _gates_in_words(study) if study else ""}
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
        "planned": _("%(hours)s were planned") % {"hours": f"{planned.normalize():f}"} if planned else "",
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


CSV_HEADER = ("part", "what", "value", "low", "high", "teachers", "results", "tier")


def _raw(line: Mapping[str, Any]) -> Cells:
    size = line.get("size") or {}
    return [line.get("sd"), line.get("low"), line.get("high"), size.get("teachers"), size.get("results")]


def _numbers(line: Mapping[str, Any]) -> Cells:
    """SD, interval, teachers and results of an effect as text. Without an interval there is no number (impact.md)."""
    if line.get("hidden"):
        return [_("not shown")] * 4
    has_interval = line["low"] is not None and line["high"] is not None
    likely = f"{wording.signed(line['low'])} … {wording.signed(line['high'])}" if has_interval else _("none")
    size = line["size"]
    sd = wording.signed(line["sd"]) if has_interval else "–"
    return [sd, likely, wording.count(size["teachers"]), wording.count(size["results"])]


# --- What the figures came from ------------------------------------------------------------------------------------------------


def entry_cells(entry: Statement) -> list[object]:
    """Date, minutes, kind and role of an entry: all that leaders see (trust, rule 3)."""
    minutes = None if entry.duration_s is None else round(entry.duration_s / 60)
    role = Role(entry.role).label if entry.role in Role.values else entry.role
    return [timezone.localdate(entry.happened_at), minutes, verb_label(entry.verb), role]


def cost_cells(line: Cost) -> list[object]:
    """One ingredient, without whose time it was."""
    return [
        line.happened_on, line.ingredient, f"{line.quantity.normalize():f}", line.unit,
        wording.dollars(line.unit_price_usd_cents), wording.dollars(line.amount_usd_cents),
        _("yes") if line.is_business_as_usual else _("no"),
    ]  # fmt: skip
