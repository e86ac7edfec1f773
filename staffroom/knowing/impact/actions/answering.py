"""Answering studies: each version's question is put to `measure` once, and again when something that it rests on has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils import timezone

from staffroom import __version__
from staffroom.jobs.actions import report
from staffroom.knowing import frames
from staffroom.knowing.impact import asking, designs, practice, queries, studying, summing
from staffroom.knowing.impact.keeping import kept
from staffroom.knowing.impact.models import Applicant, Lottery, Study, StudyAnswer, StudyVersion
from staffroom.knowing.impact.queries.evidence import placebos_at
from staffroom.knowing.impact.queries.practice import practice_measures
from staffroom.people.models import Organization
from staffroom.records import lake
from staffroom.records.models import Activity, Instrument

if TYPE_CHECKING:
    from datetime import datetime

METHOD = 3
"""Raised whenever the same input would give another answer."""


def answer_studies(*, studies: Sequence[Study]) -> int:
    """Bring the lake up to date, then the answer to every version of some studies; reports how far it is.

    Returns how many answers were made anew. Safe to run twice and to be killed: each answer is kept as soon as it is there.
    """
    if not studies:
        return 0
    started = timezone.now()
    versions = StudyVersion.objects.filter(study__in=studies).select_related("study__organization", "study__lottery")
    found = list(versions.order_by("study", "number"))
    report(total=len(found))
    lake.refresh()
    state, made = queries.lake_state(), 0
    for number, version in enumerate(found):
        report(done=number, message=str(version))
        made += answer_version(version, state, started)
    report(done=len(found))
    return made


def answer_version(version: StudyVersion, state: list[tuple[str, str, str]], started: datetime) -> int:
    """Answer one version, if anything has changed. Returns how many answers were made anew."""
    is_registered = queries.is_registered(version)
    placebos = sorted(_placebos(version).items())
    said = json.dumps([METHOD, __version__, version.sha256, is_registered, state, _drawn_at(version), placebos])
    sha256 = hashlib.sha256(said.encode()).hexdigest()
    known = StudyAnswer.objects.filter(version=version)
    if known.filter(input_sha256=sha256).update(computed_at=started):
        return 0
    result = _answer(version, is_registered)
    if result is None:
        return known.delete()[0]
    StudyAnswer.objects.update_or_create(
        version=version,
        defaults={
            "input_sha256": sha256, "is_registered": is_registered, "result": result, "computed_at": started,
            "summary": summary_of(result),
        },
    )  # fmt: skip
    return 1


def _placebos(version: StudyVersion) -> dict[str, Any]:
    instrument = Instrument.objects.filter(key=UUID(version.protocol["outcome"]["key"])).first()
    return placebos_at(version.study.organization, instrument) if instrument else {}


def _drawn_at(version: StudyVersion) -> str:
    lottery = version.study.lottery
    return lottery.drawn_at.isoformat() if lottery and lottery.drawn_at else ""


def summary_of(result: Mapping[str, Any]) -> dict[str, Any]:
    """What a line of a list needs of an answer."""
    answer = result["answer"]
    return {name: answer[name] for name in ("estimator", "effect", "n", "tier", "sentence", "mde", "more_teachers")} | {
        "is_higher_better": result["is_higher_better"]
    }


def _answer(version: StudyVersion, is_registered: bool) -> dict[str, Any] | None:
    """The answer from the lake as it is; None while no result of the version's time is there."""
    import numpy as np

    from staffroom.measure.answering import answer

    material = material_of(version, is_registered)
    if material is None or not asking.has_results(material):
        return None
    seed = asking.seed_of(material)
    generator, asked = np.random.default_rng(seed), asking.question_of(material)
    measures = practice_measures(version.study.organization)
    found = practice.beside(answer(asked, generator), asked, material, measures, generator)
    return {
        "terms": [
            {"name": term.name, "begins_on": term.begins_on.isoformat(), "ends_on": term.ends_on.isoformat()}
            for term in material.terms
        ],
        "is_higher_better": material.is_higher_better, "seed": seed, "answer": kept(found, is_higher_better=material.is_higher_better),
    }  # fmt: skip


def material_of(version: StudyVersion, is_registered: bool) -> asking.Material | None:
    """What a version's question is made of; None if the instrument has no results there or is gone."""
    said, place = version.protocol, version.study.organization
    instrument = Instrument.objects.filter(key=UUID(said["outcome"]["key"]), is_evaluation=False).first()
    activities = list(Activity.objects.filter(key__in=[UUID(each["key"]) for each in said["activities"]]))
    if instrument is None or not activities:
        return None
    cells = frames.outcome_cells(place.path, str(instrument.key))
    if not cells.num_rows:
        return None
    terms = queries.terms_around(place)
    uptake = uptake_of(activities, place.path, terms)
    begun = summing.terms_with_outcomes(terms, cells.column("term_begins_on"))
    starts = {who: studying.first_term(day, begun) for who, day in uptake.first_on.items()}
    first_days = {who: begun[first].begins_on for who, first in starts.items() if first >= 0}
    return asking.Material(
        cells=cells, first_on=uptake.first_on, terms=begun, students=frames.students(place.path, str(instrument.key)),
        is_higher_better=said["outcome"]["is_higher_better"],
        prior_cells=frames.prior_cells(place.path, str(instrument.key), first_days), seconds_by_term=uptake.seconds,
        seconds=uptake.teacher_seconds(until=begun[-1].begins_on),
        planned_hours=sum(float(each.planned_hours or 0) for each in activities) or None,
        ingredients=[row for each in activities for row in frames.ingredients(place.path, str(each.key)).to_pylist()],
        students_taught=frames.students_taught(place.path, str(instrument.key), first_days), is_registered=is_registered,
        smallest_effect=said["smallest_effect_sd"], estimator=said["estimate"]["estimator"],
        controls=said["estimate"]["controls"], begins=date.fromisoformat(said["when"]["from"]),
        ends=date.fromisoformat(said["when"]["until"]),
        schools=frozenset(each["key"] for each in said["who"]["schools"]), subgroups=said["subgroups"],
        drawn=drawn_of(version.study.lottery if said["lottery"] else None), rule=rule_of(said, place, terms),
        **placebos_at(place, instrument),
    )  # fmt: skip


def rule_of(said: Mapping[str, Any], place: Organization, terms: Mapping[int, summing.Stretch]) -> designs.Rule | None:
    """The rule of a protocol with the number of each teacher or school; None where no number decided."""
    rule = said.get("rule")
    if rule is None:
        return None
    above = rule["offered"] == Study.Side.ABOVE
    if rule["by"] == Study.Rule.SCHOOLS:
        return designs.Rule(rule["cutoff"], above, by_school={each["key"]: each["number"] for each in rule["schools"]})
    # Results of evaluation are not in the lake, so a rule by them finds no numbers.
    subject = "teacher" if rule["by"] == Study.Rule.TEACHER else "student"
    cells = frames.outcome_cells(place.path, rule["instrument"]["key"], subject)
    begun = summing.terms_with_outcomes(terms, cells.column("term_begins_on"))
    numbers = designs.numbers_before(cells.to_pylist(), begun, date.fromisoformat(said["when"]["from"]))
    return designs.Rule(rule["cutoff"], above, by_teacher=numbers)


def uptake_of(activities: Sequence[Activity], path: str, terms: Mapping[int, summing.Stretch]) -> summing.Uptake:
    """Who took part in any of some activities, from the first of them on, and for how long in all."""
    together = summing.Uptake()
    for activity in activities:
        found = summing.read_uptake(frames.participation(path, str(activity.key)), terms)
        for who, day in found.first_on.items():
            together.first_on[who] = min(day, together.first_on.get(who, day))
        for who, parts in found.seconds.items():
            own = together.seconds.setdefault(who, {})
            for begins, part in parts.items():
                own[begins] = own.get(begins, 0) + part
        for who, part in found.others.items():
            together.others[who] = together.others.get(who, 0) + part
    return together


def drawn_of(lottery: Lottery | None) -> asking.Drawn | None:
    """What a lottery decided about each teacher, by key: as it was drawn, whoever moved up later."""
    if lottery is None or lottery.drawn_at is None:
        return None
    days = list(lottery.waves.order_by("number").values_list("begins_on", flat=True))
    people = Applicant.objects.filter(lottery=lottery, person__isnull=False, lot__isnull=False)
    rows = people.values_list("person__key", "lot__allotment__wave", "lot__code", "lot__ticket")
    first, block, unit = {}, {}, {}
    for key, wave, code, ticket in rows:
        first[str(key)], block[str(key)], unit[str(key)] = wave == 1, code, ticket
    return asking.Drawn(first, block, unit, days[0], days[1] if len(days) > 1 else None)
