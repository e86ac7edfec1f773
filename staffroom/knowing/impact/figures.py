"""What a page about an activity shows, made of what was kept: the same numbers for the page, the CSV file and the API."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from staffroom.knowing.impact import drawing, measures, wording
from staffroom.knowing.impact.models import Estimate, Tally
from staffroom.knowing.impact.showing import Result
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
    names: Mapping[str, str] = field(default_factory=dict)
    """Names of schools by key, for those who may see them."""
    others: Sequence[Mapping[str, Any]] = ()
    """Other activities, as points beside this one."""

    @cached_property
    def said(self) -> dict[str, Any] | None:
        """What the ledgers add up to."""
        return self.tally.result if self.tally else None

    @cached_property
    def kept(self) -> dict[str, Any] | None:
        """What the estimate says."""
        if self.estimate is None:
            return None
        stored = getattr(self.estimate, "text", None)
        found: dict[str, Any] = self.estimate.result if stored is None else json.loads(stored)
        return found

    @property
    def follows_from(self) -> list[object]:
        """Everything that a page about it is made of; the answer as it is stored, unread."""
        activity, instrument, tally = self.activity, self.instrument, self.tally
        return [
            activity.pk, activity.name, str(activity.planned_hours), instrument and [instrument.pk, instrument.name],
            tally and tally.result, self.estimate and getattr(self.estimate, "text", self.estimate.pk), sorted(self.names.items()),
        ]  # fmt: skip

    @property
    def is_higher_better(self) -> bool:
        return bool(self.kept["is_higher_better"]) if self.kept else True

    @cached_property
    def result(self) -> Result | None:
        """The answer with its words and pictures; costs are those of the tally where the answer has none."""
        if self.kept is None:
            return None
        answer = self.kept["answer"]
        if not (answer.get("cost") or {}).get("known"):
            answer = {**answer, "cost": measures.cost_of(self)}
        return Result(
            answer, title=self.activity.name, is_higher_better=self.is_higher_better, names=self.names, others=self.others,
            terms=[term["name"] for term in self.kept["terms"]],
        )  # fmt: skip

    @property
    def headline(self) -> str:
        return self.result.headline if self.result else ""

    @property
    def tier(self) -> int | None:
        return self.result.tier if self.result else None

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
            "estimate": {name: each for name, each in self.kept.items() if name != "answer"} if self.kept else None,
            "answer": self.result.answer if self.result else None,
            "per_student_usd_cents": self.per_student,
        }  # fmt: skip


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
