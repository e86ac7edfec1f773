"""What a page about an activity shows, made of what was kept: the same numbers for the page, the CSV file and the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from staffroom.knowing.impact import drawing, measures, wording
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
        return measures.five(self)

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
        return measures.words_of(self)

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
