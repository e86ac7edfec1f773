"""From the study as asked and the files that it names to the questions that `measure` answers: one for each activity."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from staffroom.knowing.studies import Refused, gathering, joining, lots, marking, observing, pricing
from staffroom.knowing.studies import terms as order
from staffroom.knowing.studies.asking import Asked
from staffroom.knowing.studies.gathering import Floats, Gathered, Ints
from staffroom.measure.question import (
    NEVER,
    Claims,
    Hours,
    Lottery,
    Overrides,
    Question,
    Series,
    Subgroup,
    Threshold,
)
from staffroom.measure.raters import Ratings

FEW_TREATED = 10
"""As the tree has it: below so many teachers who took part, their terms are single cases."""


@dataclass(slots=True)
class Inquiry:
    """The questions of a study, by activity, and what was seen on the way to them."""

    asked: Asked
    questions: dict[str, Question]
    gathered: Gathered | None
    digest: str
    """SHA-256 over the study's text and the bytes of all files that it names."""
    notes: list[str] = field(default_factory=list)
    """Warnings about the files, in plain words."""
    practice: list[tuple[str, Ratings]] = field(default_factory=list)
    """Ratings of teaching beside the outcomes, by measure."""

    @property
    def seed(self) -> int:
        """What the random numbers start from: as told, or from the digest, so that the same files give the same numbers."""
        return int(self.asked.estimate.get("seed", int(self.digest[:15], 16)))


def inquire(asked: Asked, scratch: Path, *, session: Any = None) -> Inquiry:
    """Read everything that the study names. Raises Refused."""
    gathered = gathering.gather(asked, scratch, session=session) if "outcomes" in asked.data else None
    inquiry = Inquiry(asked, {}, gathered, "")
    digests = [hashlib.sha256(asked.text).hexdigest()] + ([gathered.readable.digest] if gathered else [])
    if gathered is not None:
        inquiry.notes += _told_of_rows(gathered)
        if "school" not in asked.columns:
            inquiry.notes.append(
                f"{gathered.readable.name}: no column tells the school: each teacher counts as a school of her own, and what "
                "students of a school share is not counted."
            )
    students: Gathered | None = None
    shared: dict[str, Any] = {"claims": _claims(asked, gathered), "overrides": _overrides(asked)}
    if gathered is not None:
        assigned = joining.assignments(asked, scratch) if "assignments" in asked.data else None
        digests += [assigned.digest] if assigned else []
        among_students = lots.among_students(gathered, assigned)
        shared |= _of_outcomes(gathered, inquiry.notes, without=lots.OWN if among_students else ())
        if among_students:
            shared["students"], students = lots.drawn(
                asked, gathered, assigned, scratch, inquiry.notes, session=session
            )
        elif assigned:
            shared |= _assigned(gathered, assigned, shared, inquiry.notes)
    if observing.are_observations(asked):
        inquiry.practice, digest = observing.observed(asked, scratch, gathered)
        digests.append(digest)
    elif "ratings" in asked.data:
        shared["series"], digest = _rated(asked, scratch)
        digests.append(digest)
    taking: dict[str, joining.Participation] = {}
    if "activities" in asked.data and gathered is not None:
        found, table = joining.activities(asked, scratch)
        digests.append(table.digest)
        taking = _chosen(asked, found)
    costs: list[dict[str, Any]] = []
    if "costs" in asked.data:
        costs, table = joining.cost_rows(asked, scratch)
        digests.append(table.digest)
    inquiry.digest = hashlib.sha256("".join(digests).encode()).hexdigest()
    place = (
        {str(teacher): number for number, teacher in enumerate(gathered.cells.teachers.tolist())} if gathered else {}
    )
    for activity in list(taking) or [str(asked.study.get("activity", asked.name))]:
        own = dict(shared)
        if activity in taking and gathered is not None:
            own |= _took_part(gathered, taking[activity], activity, place, inquiry.notes)
            if students is not None:
                own["students"] = lots.with_teachers(own["students"], students, gathered, own["first_treated"])
        own["costs"] = pricing.costs(asked, costs, activity, many=len(taking) > 1)
        inquiry.questions[activity] = _question(asked, gathered, own)
    return inquiry


def _question(asked: Asked, gathered: Gathered | None, own: dict[str, Any]) -> Question:
    if gathered is None:
        return _made(asked, own)
    question = _made(asked, own | {"cells": gathered.cells, "names": gathered.names, "prior": gathered.prior})
    if question.series is None and (few := _cases(question)) is not None:
        question = _made(
            asked, own | {"cells": gathered.cells, "names": gathered.names, "prior": gathered.prior, "series": few}
        )
    return question


def _made(asked: Asked, own: dict[str, Any]) -> Question:
    try:
        return Question(**{name: value for name, value in own.items() if value is not None})
    except ValueError as error:
        raise Refused(f"{asked.file}: {error}") from None


def _claims(asked: Asked, gathered: Gathered | None) -> Claims:
    told = {"registered": bool(asked.study.get("registered", False))}
    more: dict[str, Any] = {
        "smallest_effect": asked.study.get("smallest_effect"), "confidence": asked.estimate.get("level"),
        "power": asked.estimate.get("power"), "reference_sd": asked.estimate.get("sd"),
        "students": asked.study.get("students") or (gathered and gathered.students and gathered.students.different) or None,
    }  # fmt: skip
    return Claims(**told, **{name: value for name, value in more.items() if value is not None})


def _overrides(asked: Asked) -> Overrides:
    known = {each.name for each in fields(Overrides)}
    told = {name: value for name, value in asked.estimate.items() if name in known and name != "sd"}
    try:
        return Overrides(**told)
    except ValueError as error:
        raise Refused(f"{asked.file}: [estimate] {error}") from None


def _told_of_rows(gathered: Gathered) -> list[str]:
    """What is left out and why, with counts."""
    rows, name = gathered.rows, gathered.readable.name
    left_out = rows.rows - rows.complete
    if not left_out:
        return []
    parts = [
        f"{count} without “{column}”" for column, count in rows.missing.items() if count and column in _needed(gathered)
    ]
    if rows.zero_weight:
        parts.append(f"{rows.zero_weight} of weight zero")
    return [f"{name}: {left_out} of {rows.rows} rows are left out ({', '.join(parts)})."]


def _needed(gathered: Gathered) -> set[str]:
    columns = gathered.asked.columns
    return {columns[role] for role in ("teacher", "term", "weight") if role in columns} | set(gathered.names)


def _of_outcomes(gathered: Gathered, notes: list[str], *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the outcomes file itself says of taking part, chance, rules, sites and hours; `without` roles of students."""
    there = {role: value for role, value in gathered.least.items() if role not in without}
    own = dict[str, Any]()
    if "first_treated" in there:
        own["first_treated"] = marking.first_terms(
            gathered, gathered.per_teacher("first_treated"), notes, gathered.readable.name
        )
    if "treated" in there:
        own["treated"] = marking.marks(gathered, gathered.per_cell("treated"), "treated", missing=0.0)
    if "dose" in there:
        own["dose"] = np.nan_to_num(gathered.per_cell("dose"))
    if "assigned" in there:
        marks = marking.marks(gathered, gathered.per_teacher("assigned"), "assigned", missing=-1.0).astype(np.int64)
        own["lottery"] = Lottery(
            marks, block=marking.labels(gathered, "block"), since=marking.told_term(gathered, "since"),
            until=marking.told_term(gathered, "until"),
        )  # fmt: skip
    if "running" in there:
        own["threshold"] = _threshold(gathered, gathered.per_teacher("running"))
    for role in ("site", "cohort"):
        own[role] = marking.labels(gathered, role)
    if "hours" in there:
        own["hours"] = Hours(gathered.per_teacher("hours"), gathered.asked.study.get("planned_hours"))
    if without:
        return own
    declared = bool(gathered.asked.study.get("registered", False))
    own["subgroups"] = tuple(
        Subgroup(name, np.asarray(gathered.per_teacher(name)).astype(str), declared=declared)
        for name in gathered.asked.subgroups
    )
    return own


def _threshold(gathered: Gathered, running: Floats) -> Threshold:
    asked = gathered.asked
    cutoff = asked.cutoff
    if cutoff is None and "cutoff" in gathered.least:
        known = gathered.per_teacher("cutoff")
        running = running - known
    return Threshold(
        running,
        cutoff or 0.0,
        above=asked.study.get("offered", "above") == "above",
        since=marking.told_term(gathered, "since"),
    )


def _assigned(
    gathered: Gathered, found: joining.Assignments, shared: Mapping[str, Any], notes: list[str]
) -> dict[str, Any]:
    cells = gathered.cells
    owners = cells.teachers if found.by == "teacher" else cells.clusters[cells.cluster_of]
    known = [str(owner) for owner in owners]
    strangers = len(set(found.block) - set(known))
    if strangers:
        notes.append(f"{found.name}: {strangers} of {len(found.block)} {found.by}s have no outcomes.")
    own: dict[str, Any] = {}
    if found.assigned:
        marks = np.array([found.assigned.get(owner, -1) for owner in known], dtype=np.int64)
        blocks = np.array([found.block.get(owner, "") for owner in known])
        own["lottery"] = Lottery(
            marks,
            block=blocks if any(found.block.values()) else None,
            unit=np.array(known) if found.by == "school" else None,
            since=marking.told_term(gathered, "since"),
            until=marking.told_term(gathered, "until"),
        )
    if found.running:
        own["threshold"] = _threshold(gathered, np.array([found.running.get(owner, np.nan) for owner in known]))
    return own


def _chosen(asked: Asked, found: dict[str, joining.Participation]) -> dict[str, joining.Participation]:
    wanted = asked.study.get("activity")
    if wanted is None or (len(found) == 1 and wanted in found):
        return found
    if wanted in found:
        return {wanted: found[wanted]}
    listed = ", ".join(f"“{name}”" for name in sorted(found)[:8])
    raise Refused(
        f"{asked.file}: [study] activity “{wanted}” is not in {asked.data['activities'].name}; it has {listed}"
    )


def _took_part(
    gathered: Gathered, one: joining.Participation, activity: str, place: dict[str, int], notes: list[str]
) -> dict[str, Any]:
    """Who took part in one activity: first terms, or cells that are treated, with doses and hours. `place`: of each teacher."""
    asked, cells, file = gathered.asked, gathered.cells, gathered.asked.data["activities"].name
    named = {*one.first, *one.terms, *one.undated} if one.terms or one.undated or one.hours else one.first.keys()
    where = list(map(place.get, one.first))
    strangers = len(named - place.keys()) if one.terms or one.undated else where.count(None)
    if strangers:
        notes.append(f"{file}: {strangers} of {len(named)} teachers who took part in {activity} have no outcomes.")
    own: dict[str, Any] = {}
    first = np.full(len(cells.teachers), NEVER, dtype=np.int64)
    known = [(at, told) for at, told in zip(where, one.first.values(), strict=True) if at is not None]
    first[[at for at, _ in known]] = marking.first_terms(gathered, [told for _, told in known], notes, file)
    teachers = list(place) if one.hours or one.site or one.cohort else []
    if one.undated:
        if len(cells.terms) > 1:
            raise Refused(f"{file}: it must tell when teachers took part, in a column for term or first_treated")
        for teacher in one.undated & place.keys():
            first[place[teacher]] = cells.terms[0]
    if one.terms:
        own |= _by_term(gathered, one, first, place, file, notes)
    else:
        own["first_treated"] = first
    if one.hours:
        hours = np.array([one.hours.get(teacher, np.nan if teacher in named else 0.0) for teacher in teachers])
        own["hours"] = Hours(hours, asked.study.get("planned_hours"))
    for role, labels in (("site", one.site), ("cohort", one.cohort)):
        if labels:
            own[role] = np.array([labels.get(teacher, "") for teacher in teachers])
    return own


def _by_term(
    gathered: Gathered, one: joining.Participation, first: Ints, place: dict[str, int], file: str, notes: list[str]
) -> dict[str, Any]:
    """Terms of taking part, also those without outcomes: they may come before the first outcomes."""
    cells = gathered.cells
    rows = [
        (place[who], name, amount) for who, doses in one.terms.items() if who in place for name, amount in doses.items()
    ]
    known = {name: marking.placed(gathered.terms, name, file, gathered.asked) for name in {name for _, name, _ in rows}}
    owner = np.array([row[0] for row in rows], dtype=np.int64)
    term = np.array([known[row[1]] for row in rows], dtype=np.int64)
    amount = np.array([row[2] for row in rows], dtype=np.float64)
    never = np.iinfo(np.int64).max
    begun = np.where(first == NEVER, never, first)
    inside = term <= cells.terms[-1]
    np.minimum.at(begun, owner[inside], term[inside])
    where = np.minimum(np.searchsorted(cells.terms, term), len(cells.terms) - 1)
    width = len(cells.terms)
    keys, wanted = cells.teacher * width + cells.term, owner * width + where
    cell = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    hit = (keys[cell] == wanted) & (cells.terms[where] == term)
    dose, took = np.zeros(len(cells.n)), np.zeros(len(cells.n), dtype=np.bool_)
    np.add.at(dose, cell[hit], amount[hit])
    took[cell[hit]] = True
    absent = ~took & (cells.terms[cells.term] >= begun[cells.teacher])
    often = np.bincount(owner, minlength=len(cells.teachers)) > 1
    stopped = np.unique(cells.teacher[absent & often[cells.teacher]]).size
    if stopped:
        notes.append(
            f"{file}: {stopped} teachers did not take part in every term after their first; they count from it on."
        )
    return {"first_treated": np.where(begun == never, NEVER, begun), "dose": dose if one.has_dose else None}


def _rated(asked: Asked, scratch: Path) -> tuple[Series, str]:
    found, table = joining.ratings(asked, scratch)
    names = list(dict.fromkeys(found["session"]))
    when = order.in_order(names, file=table.name, column="session")
    if any(phase is None for phase in found["phase"]):
        raise Refused(
            f"{table.name} must tell for each rating in a column “phase” whether it came before (0) or with the activity (1)"
        )
    try:
        series = Series(
            case=np.array(found["case"]),
            session=np.array([when.number[name] for name in found["session"]], dtype=np.int64),
            value=np.array(found["score"], dtype=np.float64),
            phase=np.array(found["phase"], dtype=np.int64),
        )
    except ValueError as error:
        raise Refused(f"{table.name}: {error}") from None
    return series, table.digest


def _cases(question: Question) -> Series | None:
    """Terms of the few who took part as single cases: the mean of each term, before and from the first on."""
    cells = question.cells
    if cells is None:
        return None
    treated = _treated_cells(question)
    if treated is None:
        return None
    cases = np.unique(cells.teacher[treated])
    if not 0 < cases.size < FEW_TREATED:
        return None
    rows = np.isin(cells.teacher, cases)
    if rows.sum() > 100_000:
        return None
    return Series(
        case=cells.teachers[cells.teacher[rows]], session=cells.terms[cells.term[rows]], value=cells.mean[rows, 0],
        phase=treated[rows].astype(np.int64),
    )  # fmt: skip


def _treated_cells(question: Question) -> NDArray[np.bool_] | None:
    cells = question.cells
    assert cells is not None
    if question.first_treated is not None:
        first = question.first_treated[cells.teacher]
        return np.asarray((first != NEVER) & (cells.terms[cells.term] >= first))
    return None if question.treated is None else question.treated > 0
