"""E6: single cases. Each teacher's ratings before and while taking part; all together where there are three or more."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from staffroom.measure import gates
from staffroom.measure.answer import Effect, Size
from staffroom.measure.answering.estimate import Estimate, Sides, fullest
from staffroom.measure.between_case import BetweenCase, between_case
from staffroom.measure.deciding import LEAST_RATINGS, rated_cases
from staffroom.measure.question import Question, Series
from staffroom.measure.sentence import Sentence, say
from staffroom.measure.single_case import NonOverlap, non_overlap
from staffroom.measure.staggered import distinct
from staffroom.measure.start_points import StartPointTest, admissible_starts, start_point_test

LEAST_CASES = 3
SEED = 1


def single_cases(question: Question, estimator: str, generator: np.random.Generator | None) -> Estimate:
    """Overlap measures of each case and a between-case effect; what chance could have done by moving the starts."""
    assert question.series is not None
    series = chosen(question.series)
    labels = np.unique(series.case)
    cases = [ordered(series, label) for label in labels]
    measures = [non_overlap(values[phase == 0], values[phase == 1]) for values, phase in cases]
    test = _test(cases, generator or np.random.default_rng(SEED))
    whole = _whole(series, question.settled.confidence) if len(cases) >= LEAST_CASES else None
    ratings = len(series.value)
    effect = _effect(whole, measures, cases)
    lines = [_line(str(label), case, one) for label, case, one in zip(labels.tolist(), cases, measures, strict=True)]
    return Estimate(
        estimator="single_case",
        n=_size(question, series, labels),
        effect=effect,
        design_tier=gates.PROMISING,
        smaller=Sides(ratings, len(cases)),
        gates=(start_gate(test),),
        details={"single_case": {"series": lines, "start_points": _start(test), "between_case": _between(whole)}},
        said=_said(measures),
    )


def _size(question: Question, series: Series, labels: NDArray[Any]) -> Size:
    """Ratings and cases; students and schools of these teachers where their results are known, else no students and one school."""
    cases, sessions = len(labels), len(np.unique(series.session))
    students, schools = None, 1
    if question.cells is not None:
        own = np.isin(question.cells.teachers.astype(str), labels.astype(str))
        taught = question.cells.take(own[question.cells.teacher])
        students, schools = (fullest(taught), distinct(taught.cluster)) if len(taught.n) else (None, 1)
    return Size(students, cases, schools, cases, len(series.value), cases, 0, sessions)


def chosen(series: Series) -> Series:
    """Only the cases with enough ratings in both phases."""
    keep = np.isin(series.case, np.array(rated_cases(series)))
    return Series(series.case[keep], series.session[keep], series.value[keep], series.phase[keep])


def ordered(series: Series, label: Any) -> tuple["np.typing.NDArray[np.float64]", "np.typing.NDArray[np.int64]"]:
    """Ratings and phases of a case in order of time."""
    here = np.flatnonzero(series.case == label)
    here = here[np.argsort(series.session[here], kind="stable")]
    return series.value[here], series.phase[here]


def _test(cases: list[Any], generator: np.random.Generator) -> StartPointTest | None:
    """Starts that leave enough ratings on either side; None where a case goes back to the phase before."""
    if any((np.diff(phase) < 0).any() for _, phase in cases):
        return None
    starts = [int((phase == 0).sum()) for _, phase in cases]
    possible = [
        admissible_starts(len(values), least_before=LEAST_RATINGS, least_during=LEAST_RATINGS) for values, _ in cases
    ]
    if any(start not in allowed for start, allowed in zip(starts, possible, strict=True)):
        return None
    return start_point_test([values for values, _ in cases], starts, possible, generator, two_sided=True)


def _whole(series: Series, confidence: float) -> BetweenCase | None:
    try:
        found = between_case(series.value, series.phase, series.case, series.session, confidence=confidence)
    except ValueError:
        return None
    return found if all(map(math.isfinite, (found.effect, found.standard_error, found.low, found.high))) else None


def _effect(whole: BetweenCase | None, measures: list[NonOverlap], cases: list[Any]) -> Effect:
    """The between-case effect, or only the mean change of ratings where cases are too few for one."""
    if whole is None:
        change = [values[phase == 1].mean() - values[phase == 0].mean() for values, phase in cases]
        return Effect(raw=float(np.mean(change)), method="mean change")
    return Effect(
        raw=whole.raw,
        sd=whole.effect,
        se=whole.standard_error,
        low=whole.low,
        high=whole.high,
        p=whole.p,
        df=whole.df,
        raw_se=whole.raw_se,
        method="between-case standardized mean difference",
    )


def start_gate(test: StartPointTest | None) -> gates.Gate:
    """Could moving the starts have done as well? Of use only where starts were drawn."""
    if test is None or test.least_p > 0.05:
        sentence = say("starts_untested")
        return gates.Gate("start_points", False, None, 0.05, sentence, gates.RATIONALE)
    passed = test.p <= 0.05
    sentence = say("starts_hold" if passed else "starts_fail", p=test.p, ways=test.arrangements)
    return gates.Gate("start_points", passed, test.p, 0.05, sentence, gates.STRONG if passed else gates.RATIONALE)


def _start(test: StartPointTest | None) -> dict[str, Any] | None:
    if test is None:
        return None
    return {
        "statistic": test.statistic,
        "p": test.p,
        "arrangements": test.arrangements,
        "enumerated": test.enumerated,
        "least_p": test.least_p,
    }


def _between(whole: BetweenCase | None) -> dict[str, Any] | None:
    if whole is None:
        return None
    return {
        "effect": whole.effect,
        "se": whole.standard_error,
        "df": whole.df,
        "icc": whole.icc,
        "autocorrelation": whole.autocorrelation,
        "cases": whole.cases,
        "ratings": whole.ratings,
    }


def _line(label: str, case: Any, one: NonOverlap) -> dict[str, Any]:
    values, phase = case
    names = ("nap", "nap_low", "nap_high", "tau", "tau_u", "tau_bc", "pnd", "pem", "ird", "trend_p")
    measures = {name: getattr(one, name) for name in names}
    return {"label": label, "values": values.tolist(), "phases": phase.tolist(), **measures}


def _said(measures: list[NonOverlap]) -> tuple[Sentence, ...]:
    naps = [one.nap for one in measures]
    return (
        say(
            "cases_overlap",
            cases=len(naps),
            mean=100 * float(np.mean(naps)),
            least=100 * min(naps),
            most=100 * max(naps),
        ),
    )
