import dataclasses
import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.measure.answering import answer
from staffroom.measure.cells import cells_from_rows
from staffroom.measure.question import (
    NEVER,
    Claims,
    CostLine,
    Costs,
    Hours,
    Ingredient,
    Lottery,
    Overrides,
    Question,
    Series,
    Subgroup,
    Threshold,
)
from tests.measure.test_answering_questions import numbers

REGISTERED = Claims(registered=True)
OVERRIDES = ("randomized", "cutoff", "imputation", "twfe", "etwfe", "entropy_balanced", "dose", "describe")


def a_world(
    seed=0, *, schools=24, per_school=8, terms=6, effect=0.3, took=None, since=3, students=8, prior=False, dose=None
):
    """Cells where teachers that `took` (I,) gain `effect` from term `since` on, with school, teacher and student noise."""
    rng = np.random.default_rng(seed)
    teachers = schools * per_school
    who, when = np.divmod(np.repeat(np.arange(teachers * terms), students), terms)
    school = who % schools
    skill = rng.normal(0, 0.3, teachers)
    shock = rng.normal(0, 0.05, (schools, terms))[school, when]
    ability = rng.normal(size=who.size) + skill[who]
    gain = np.zeros((teachers, terms)) if took is None else effect * took[:, None] * (np.arange(terms) >= since)
    if dose is not None:
        gain = effect * dose.reshape(teachers, terms)
    y = ability + shock + gain[who, when] + rng.normal(0, 0.5, who.size)
    columns = [y, ability + rng.normal(0, 0.3, who.size)] if prior else [y]
    return cells_from_rows(teacher=who, school=school, term=when, columns=columns)


def messages(sentences):
    return [sentence.message for sentence in sentences]


def gate(found, name):
    return next(one for one in found.gates if one.name == name)


def by_lot(seed=0, *, schools=24, per_school=8, whole=False):
    rng = np.random.default_rng(seed)
    teachers = np.arange(schools * per_school)
    if whole:
        return rng.permutation(np.arange(schools) % 2)[teachers % schools]
    return np.concatenate([rng.permutation(np.arange(schools) % 2) for _ in range(per_school)])


def test_a_lottery_is_strong_evidence():
    assigned = by_lot()
    cells = a_world(took=assigned)
    question = Question(
        cells=cells,
        first_treated=np.where(assigned == 1, 3, NEVER),
        lottery=Lottery(assigned=assigned, block=np.arange(192) // 24),
        claims=REGISTERED,
    )
    found = answer(question, np.random.default_rng(0))
    assert (found.estimator, found.tier) == ("randomized", 1)
    assert found.effect.raw_low < 0.3 < found.effect.raw_high
    assert found.effect.raw == pytest.approx(found.effect.sd * found.comparison_sd)
    assert found.details["balance"][0]["name"] == "outcome before"
    assert found.replicability.known
    assert 15 <= found.replicability.sites <= 24
    assert gate(found, "baseline_equivalence").passed
    exploratory = answer(dataclasses.replace(question, claims=Claims()), np.random.default_rng(0))
    assert exploratory.tier == 3


def test_who_was_drawn_and_did_not_come_is_told_apart():
    assigned = by_lot()
    came = assigned * (np.arange(192) % 3 > 0)
    question = Question(
        cells=a_world(took=came),
        first_treated=np.where(came == 1, 3, NEVER),
        lottery=Lottery(assigned=assigned),
        claims=REGISTERED,
    )
    found = answer(question, np.random.default_rng(0))
    assert "effect_of_being_drawn" in messages(found.sentence)
    assert found.effect.raw < 0.3
    complier = found.beside["complier"]
    assert complier.raw_low < 0.3 < complier.raw_high
    assert found.details["take_up"]["difference"] == pytest.approx(2 / 3, abs=0.1)


def test_few_schools_that_were_drawn_are_judged_by_drawing_again():
    assigned = by_lot(schools=12, whole=True)
    question = Question(
        cells=a_world(schools=12, took=assigned, effect=0.5),
        first_treated=np.where(assigned == 1, 3, NEVER),
        lottery=Lottery(assigned=assigned),
        claims=REGISTERED,
    )
    found = answer(question, np.random.default_rng(0))
    assert found.effect.method == "randomization"
    assert found.n.clusters == 12
    assert gate(found, "clusters").sentence.message == "drawn_few"
    assert not found.replicability.known


@pytest.mark.parametrize("above", [True, False])
def test_a_cutoff_gives_the_jump(above):
    rng = np.random.default_rng(1006)
    running = rng.uniform(-1, 1, 600)
    took = (running >= 0) if above else (running < 0)
    question = Question(
        cells=a_world(schools=40, per_school=15, terms=4, students=6, took=took.astype(int), effect=0.9),
        first_treated=np.where(took, 3, NEVER),
        threshold=Threshold(running=running, cutoff=0.0, above=above),
        claims=REGISTERED,
    )
    found = answer(question)
    assert found.estimator == "cutoff"
    assert found.effect.raw_low < 0.9 < found.effect.raw_high
    assert found.effect.low > 0
    assert gate(found, "density").passed
    # What was before says too little here: its own interval is wider than 0.25 SD.
    assert gate(found, "composition").sentence.message == "composition_weak_test"
    assert found.tier == 3
    assert not found.details["cutoff"]["fuzzy"]


def test_a_cutoff_without_anyone_near_it_gives_reasons():
    running = np.where(np.arange(192) < 96, 1.0, -1.0)
    question = Question(cells=a_world(), threshold=Threshold(running=running))
    found = answer(question)
    assert found.effect is None
    assert messages(found.reasons)[0].startswith("cutoff_")


def test_a_prior_score_makes_alike():
    cells = a_world(prior=True, took=np.arange(192) % 2, since=0, terms=2)
    first = np.where(np.arange(192) % 2, 0, NEVER)
    found = answer(
        Question(cells=cells, names=("math", "math before"), first_treated=first, prior=1, claims=REGISTERED)
    )
    assert found.estimator == "entropy_balanced"
    assert found.effect.raw_low < 0.3 < found.effect.raw_high
    assert found.tier == 2
    (line,) = found.details["balance"]
    assert line["name"] == "math before"
    assert abs(line["g_after"]) < 1e-6
    assert gate(found, "baseline_equivalence").sentence.message == "baseline_ok"


def test_groups_that_cannot_be_made_alike_fail_the_gate():
    cells = a_world(prior=True, took=np.arange(192) % 2, since=0, terms=2)
    mean = cells.mean.copy()
    mean[cells.teacher % 2 == 1, 1] += 50
    apart = dataclasses.replace(cells, mean=mean)
    first = np.where(np.arange(192) % 2, 0, NEVER)
    found = answer(Question(cells=apart, first_treated=first, prior=1, claims=REGISTERED))
    assert found.tier >= 3
    assert "not_balanced" in messages(found.warnings) or found.effect is None


def test_doses_are_only_an_association():
    rng = np.random.default_rng(1)
    dose = rng.integers(1, 6, 192 * 6).astype(float)
    found = answer(Question(cells=a_world(dose=dose, effect=0.1), dose=dose, claims=REGISTERED))
    assert found.estimator == "dose"
    assert found.tier == 3
    assert messages(found.sentence)[:2] == ["went_with_higher", "association"]
    slope = found.details["dose"]["slope"]
    assert slope.raw_low < 0.1 < slope.raw_high


def test_single_cases_speak_for_themselves():
    rng = np.random.default_rng(2)
    cases, before, during = 5, 7, 8
    phase = np.tile(np.r_[np.zeros(before), np.ones(during)], cases)
    value = 3 + rng.normal(0, 0.3, phase.size) + 1.5 * phase
    series = Series(
        case=np.repeat([f"t{n}" for n in range(cases)], before + during),
        session=np.tile(np.arange(before + during), cases),
        value=value,
        phase=phase,
    )
    found = answer(Question(series=series, claims=REGISTERED), np.random.default_rng(0))
    assert found.estimator == "single_case"
    assert found.effect.raw == pytest.approx(1.5, abs=0.3)
    assert messages(found.sentence)[0] == "ratings_higher"
    assert len(found.details["single_case"]["series"]) == 5
    assert all(case["nap"] > 0.9 for case in found.details["single_case"]["series"])
    assert gate(found, "start_points").passed
    assert found.tier == 3
    two = Series(*(getattr(series, name)[: 2 * 15] for name in ("case", "session", "value", "phase")))
    few = answer(Question(series=two))
    assert few.effect.low is None
    assert messages(few.sentence)[0] == "cases_overlap"


def panel(**more):
    took = by_lot(5)
    return Question(cells=a_world(5, took=took), first_treated=np.where(took == 1, 3, NEVER), claims=REGISTERED, **more)


def test_hours_make_an_efficiency_with_its_set():
    hours = np.where(by_lot(5) == 1, np.random.default_rng(0).uniform(15, 25, 192), np.nan)
    found = answer(panel(hours=Hours(by_teacher=hours, planned=24.0)))
    assert found.efficiency.known
    ratio = found.efficiency.sd_per_10_hours
    assert ratio.value == pytest.approx(found.effect.sd / found.efficiency.hours_per_teacher * 10)
    assert ratio.low < ratio.value < ratio.high
    assert ratio.shape == "bounded"
    assert not answer(panel()).efficiency.known


def test_costs_are_summed_by_head_and_held_against_the_effect():
    def line(name, quantity, cents, **options):
        return CostLine(Ingredient(name, Decimal(quantity), cents, payer="district"), **options)

    costs = Costs(
        lines=(
            line("teacher time", 960, 5000, is_opportunity=True),
            line("coach", 2, 300_000, scales_with="group"),
            line("license", 1, 100_000, scales_with="fixed"),
            line("old workshop", 96, 1000, instead=True),
        ),
        price_year=2026,
    )
    found = answer(panel(costs=costs)).cost
    net = 960 * 5000 + 600_000 + 100_000 - 96_000
    assert found.known
    assert (found.total_usd_cents, found.business_as_usual_usd_cents) == (net + 96_000, 96_000)
    assert (found.teachers, found.students) == (96, 96 * 8)
    assert found.per_teacher_usd_cents == round(net / 96)
    assert found.per_student_usd_cents == round(net / 768)
    assert found.marginal_teacher_usd_cents == round((net - 100_000) / 96)
    assert found.opportunity_usd_cents == 960 * 5000
    whole = answer(panel(costs=costs))
    per_student = net / 768 / 100_000
    assert whole.cost.sd_per_1000_usd.value == pytest.approx(whole.effect.sd / per_student)
    assert whole.cost.sd_per_1000_usd.low == pytest.approx(whole.effect.low / per_student, rel=1e-6)
    chances = [chance for _, chance in whole.cost.acceptability]
    assert chances == sorted(chances)


def test_what_costs_nothing_more_has_no_price_for_an_effect():
    saves = Costs(total_usd_cents=100, business_as_usual_usd_cents=5000)
    found = answer(panel(costs=saves)).cost
    assert found.known
    assert found.per_student_usd_cents < 0
    assert found.sd_per_1000_usd is None


def test_only_declared_subgroups_are_computed():
    kind = np.where(np.arange(192) % 2, "new", "experienced")
    declared = answer(panel(subgroups=(Subgroup("years", kind, declared=True),)))
    assert [line.group for line in declared.by_subgroup] == ["years: experienced", "years: new"]
    undeclared = answer(panel(subgroups=(Subgroup("years", kind),)))
    assert undeclared.by_subgroup == ()
    assert "undeclared" in messages(undeclared.warnings)


def test_a_prior_score_that_moves_with_taking_part_says_that_others_came():
    took = by_lot(5)
    cells = a_world(5, took=took, prior=True)
    mean = cells.mean.copy()
    later = (took[cells.teacher] == 1) & (cells.term >= 3)
    mean[later, 1] += 0.6
    first = np.where(took == 1, 3, NEVER)
    plain = answer(Question(cells=cells, first_treated=first, prior=1, claims=REGISTERED))
    moved = answer(
        Question(cells=dataclasses.replace(cells, mean=mean), first_treated=first, prior=1, claims=REGISTERED)
    )
    assert gate(plain, "composition").sentence.message == "composition_alike"
    assert gate(moved, "composition").sentence.message == "composition_shifted"
    assert moved.tier >= 3


def test_clusters_as_asked_keep_the_schools():
    found = answer(panel(overrides=Overrides(cluster="teacher")))
    assert (found.n.clusters, found.n.schools) == (192, 24)
    assert 15 <= found.replicability.sites <= 24
    assert "clustered_finer" in messages(found.warnings)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1_000_000))
def test_whatever_is_asked_of_little_data_never_breaks_and_never_gives_what_is_no_number(seed):
    rng = np.random.default_rng(seed)
    schools, per_school, terms = int(rng.integers(1, 9)), int(rng.integers(1, 7)), int(rng.integers(1, 5))
    teachers = schools * per_school
    who, when = np.divmod(np.arange(teachers * terms), terms)
    kept = rng.random(who.size) < rng.choice([0.5, 0.9, 1.0])
    kept[0] = True
    who, when = np.repeat(who[kept], 4), np.repeat(when[kept], 4)
    y = rng.choice([0.0, 1.0, 1e6]) * rng.normal(size=who.size) + rng.choice([0.0, 1e5])
    prior = rng.normal(size=who.size) * rng.integers(0, 2)
    cells = cells_from_rows(teacher=who, school=who % schools, term=when, columns=[y, prior])
    count, few = len(cells.teachers), rng.random() < 0.5
    start = np.where(rng.random(count) < rng.random(), rng.integers(0, terms + 2, count), NEVER)
    lottery = Lottery(
        assigned=rng.integers(-1, 2, count),
        block=rng.integers(0, 3, count),
        since=int(rng.integers(0, 4)) if few else None,
    )
    question = Question(
        cells=cells,
        prior=int(rng.integers(0, 2)) or None,
        first_treated=start if rng.random() < 0.7 else None,
        dose=rng.integers(0, 3, len(cells.n)) if rng.random() < 0.5 else None,
        lottery=lottery if rng.random() < 0.3 else None,
        threshold=Threshold(rng.choice([0.0, 1.0, 2.0, np.nan], count), cutoff=1.0) if rng.random() < 0.4 else None,
        cohort=rng.integers(0, 4, count) if few else None,
        wave=rng.integers(0, 4, count) if few else None,
        subgroups=(Subgroup("kind", rng.choice(["", "a", "b"], count), declared=True),),
        hours=Hours(rng.choice([0.0, 5.0, np.nan], count), planned=8.0),
        costs=Costs(total_usd_cents=int(rng.integers(0, 10**6)), by_teacher_usd_cents=rng.choice([0.0, 10.0], count)),
        overrides=Overrides(estimator=rng.choice([None, *OVERRIDES]), cluster=rng.choice([None, "teacher", "site"])),
    )
    found = answer(question, rng if few else None)
    assert all(math.isfinite(number) for number in numbers(found))
    assert found.effect is not None or found.tier == 4
    assert found.effect is None or found.effect.low is None or found.effect.low <= found.effect.high
    assert found.sentence
