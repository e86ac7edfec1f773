"""Which estimator: decided by the structure of the data, not by the one who asks.

The tree of the design, in its order: assignment by lot; a cutoff that explains take-up; fewer than ten teachers who took
part (single cases or nothing); a panel with teachers not yet or never treated; a prior score; doses; else a
description. Every branch says why it was taken or not. An override may choose another branch that the data can bear.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from staffroom.measure.cells import Bools, Cells, Floats, Ints
from staffroom.measure.gates import LEAST_STUDENTS, LEAST_TEACHERS
from staffroom.measure.projection import independent, projected_moments, two_way
from staffroom.measure.question import Question, Series, Threshold
from staffroom.measure.sentence import Sentence, say
from staffroom.measure.staggered import NEVER, distinct, event_times

LEAST_TERMS = 3
LEAST_TREATED_TEACHERS = 10
LEAST_RATINGS = 5
LEAST_ON_A_SIDE = 10
EXPLAINED = 0.90
"""Share that must do as a cutoff says, on either side of it."""
PANEL = ("imputation", "callaway_santanna", "etwfe", "twfe")
NAMES = {
    "randomized": "comparing who was drawn with who was not",
    "cutoff": "comparing both sides of the cutoff",
    "imputation": "imputation",
    "callaway_santanna": "Callaway and Sant'Anna's group-time effects",
    "etwfe": "extended two-way fixed effects",
    "twfe": "two-way fixed effects",
    "entropy_balanced": "balancing on the prior score",
    "dose": "the association with doses",
    "single_case": "single cases",
    "describe": "description",
}


@dataclass(frozen=True, slots=True)
class Branch:
    """One question of the tree: whether the data can bear this estimator, and the sentence why (not)."""

    estimator: str
    possible: bool
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Decision:
    """The estimator, what the tree would take by itself, and the branches up to the one taken."""

    estimator: str
    by_itself: str
    branches: tuple[Branch, ...]
    warnings: tuple[Sentence, ...] = ()

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """Why the branches before did not apply, and why this one does."""
        return tuple(branch.sentence for branch in self.branches)


def decide(question: Question) -> Decision:
    """The branch of the tree for a question, or the one that its override asks for if the data can bear it."""
    walked = _walk(question)
    by_itself = walked[-1].estimator
    wanted = question.overrides.estimator
    if wanted is None or wanted == by_itself:
        return Decision(by_itself, by_itself, walked)
    if question.cells is None and wanted not in ("single_case", "describe"):
        return Decision(by_itself, by_itself, (_without_results(wanted), *walked), (_without_results(wanted).sentence,))
    branch = possible(question, "imputation" if wanted in PANEL else wanted)
    if not branch.possible:
        refused = Branch(wanted, False, say("override_refused", name=NAMES[wanted]))
        return Decision(by_itself, by_itself, (refused, branch, *walked), (refused.sentence,))
    taken = (*walked, Branch(wanted, True, say("override_taken", name=NAMES[wanted])))
    warned = (say("override_twfe", name=NAMES[by_itself]),) if wanted == "twfe" else ()
    return Decision(wanted, by_itself, taken, warned)


def _without_results(wanted: str) -> Branch:
    """Where there are ratings of single cases alone, nothing else can be asked for."""
    return Branch(wanted, False, say("override_refused", name=NAMES[wanted]))


def possible(question: Question, estimator: str) -> Branch:
    """Whether the data can bear one estimator, by its own conditions alone."""
    return CONDITIONS[estimator](question)[-1]


def _walk(question: Question) -> tuple[Branch, ...]:
    walked: list[Branch] = []
    for step in STEPS if question.cells is not None else (_few,):
        walked += step(question)
        if walked[-1].possible:
            return tuple(walked)
    raise AssertionError("a description is always possible")


def _randomized(question: Question) -> tuple[Branch, ...]:
    if question.students is not None:
        drawn, others = question.students.arm(1), question.students.arm(0)
        possible = min(drawn, others) >= LEAST_STUDENTS
        said = say("branch_students_drawn" if possible else "branch_students_thin", drawn=drawn, others=others)
        return (Branch("randomized", possible, said),)
    if question.lottery is None:
        return (Branch("randomized", False, say("branch_no_lottery")),)
    assigned = question.lottery.assigned
    drawn, others = int((assigned == 1).sum()), int((assigned == 0).sum())
    possible = min(drawn, others) >= LEAST_TEACHERS
    said = say("branch_randomized" if possible else "branch_lottery_thin", drawn=drawn, others=others)
    return (Branch("randomized", possible, said),)


def _cutoff(question: Question) -> tuple[Branch, ...]:
    if question.threshold is None:
        return (Branch("cutoff", False, say("branch_no_cutoff")),)
    known = np.isfinite(question.threshold.running)
    offered = side(question.threshold)[known]
    smaller = int(min(offered.sum(), (~offered).sum()))
    if smaller < LEAST_ON_A_SIDE:
        return (Branch("cutoff", False, say("branch_cutoff_thin", teachers=smaller)),)
    took = first_terms(question)[known] != NEVER
    share = 100.0 * float(min(took[offered].mean(), (~took[~offered]).mean()))
    if share < 100 * EXPLAINED:
        loose = say("branch_cutoff_loose", share=share, limit=100 * EXPLAINED)
        return (Branch("cutoff", False, loose),)
    return (Branch("cutoff", True, say("branch_cutoff", share=share)),)


def _few(question: Question) -> tuple[Branch, ...]:
    """One branch if enough teachers took part; else what single cases can say, or the description."""
    case = _single_case(question)
    rest = case if case[-1].possible else (*case, *_describe(question))
    if question.cells is None:
        return rest
    teachers = treated_teachers(question.cells, first_terms(question))
    if teachers >= LEAST_TREATED_TEACHERS:
        return (Branch("single_case", False, say("branch_not_few", teachers=teachers)),)
    few = say("branch_few", teachers=teachers, limit=LEAST_TREATED_TEACHERS)
    return (Branch("imputation", False, few), *rest)


def _single_case(question: Question) -> tuple[Branch, ...]:
    cases = 0 if question.series is None else len(rated_cases(question.series))
    if not cases:
        return (Branch("single_case", False, say("branch_no_cases", limit=LEAST_RATINGS)),)
    return (Branch("single_case", True, say("branch_single_case", cases=cases, limit=LEAST_RATINGS)),)


def _staggered(question: Question) -> tuple[Branch, ...]:
    cells, first = _cells(question), first_terms(question)
    terms = distinct(cells.term)
    if terms < LEAST_TERMS:
        return (Branch("imputation", False, say("branch_no_panel", terms=terms, limit=LEAST_TERMS)),)
    event = event_times(cells, first)
    untreated = cells.take(event < 0)
    used = (event >= 0) & two_way(untreated).joined(cells.teacher, cells.term) if len(untreated.n) else event > event
    compared, own = distinct(untreated.teacher), distinct(cells.teacher[used])
    if own == 0 or compared < LEAST_TEACHERS:
        return (Branch("imputation", False, say("branch_nobody_before")),)
    if own < LEAST_TREATED_TEACHERS:
        return (Branch("imputation", False, say("too_few_treated", teachers=own, limit=LEAST_TREATED_TEACHERS)),)
    return (Branch("imputation", True, say("branch_staggered", terms=terms)),)


def _balanced(question: Question) -> tuple[Branch, ...]:
    cells, first = _cells(question), first_terms(question)
    if question.prior is None:
        return (Branch("entropy_balanced", False, say("branch_no_prior")),)
    others = distinct(cells.teacher[first[cells.teacher] == NEVER])
    possible = min(others, treated_teachers(cells, first)) >= LEAST_TEACHERS
    return (Branch("entropy_balanced", possible, say("branch_balanced" if possible else "branch_no_others")),)


def _dose(question: Question) -> tuple[Branch, ...]:
    possible = question.dose is not None and _differs_within(_cells(question), question.dose)
    return (Branch("dose", possible, say("branch_dose" if possible else "branch_no_dose")),)


def _describe(question: Question) -> tuple[Branch, ...]:
    return (Branch("describe", True, say("branch_describe")),)


STEPS: tuple[Callable[[Question], tuple[Branch, ...]], ...] = (
    _randomized,
    _cutoff,
    _few,
    _staggered,
    _balanced,
    _dose,
    _describe,
)
CONDITIONS: dict[str, Callable[[Question], tuple[Branch, ...]]] = {
    "randomized": _randomized,
    "cutoff": _cutoff,
    "imputation": _staggered,
    "entropy_balanced": _balanced,
    "dose": _dose,
    "single_case": _single_case,
    "describe": _describe,
}


def _cells(question: Question) -> Cells:
    assert question.cells is not None
    return question.cells


def side(threshold: Threshold) -> Bools:
    """(I,) who is offered the activity; False where the running variable is not known."""
    offered = threshold.running >= threshold.cutoff
    return offered if threshold.above else np.isfinite(threshold.running) & ~offered


def treated_teachers(cells: Cells, first_treated: Ints) -> int:
    """Teachers with a cell from their first term of taking part on."""
    return distinct(cells.teacher[event_times(cells, first_treated) >= 0])


def rated_cases(series: Series) -> list[object]:
    """The cases with enough ratings in both phases, in the order of their labels."""
    labels, code = np.unique(series.case, return_inverse=True)
    counts = [np.bincount(code[series.phase == phase], minlength=labels.size) for phase in (0, 1)]
    return list(labels[np.minimum(*counts) >= LEAST_RATINGS].tolist())


def first_terms(question: Question) -> Ints:
    """(I,) first term of taking part, NEVER for none: as told, or from treated cells, doses, the draw or the cutoff.

    Who took part is taken from the first of these that is known; a draw or a cutoff alone says who was offered it.
    """
    cells = _cells(question)
    if question.first_treated is not None:
        return question.first_treated
    for taking in (question.treated, question.dose):
        if taking is not None:
            return _first_of(cells, taking > 0)
    start = int(cells.terms[0])
    if question.lottery is not None:
        since = question.lottery.since
        return np.where(question.lottery.assigned == 1, start if since is None else since, NEVER)
    if question.threshold is not None:
        since = question.threshold.since
        return np.where(side(question.threshold), start if since is None else since, NEVER)
    return np.full(len(cells.teachers), NEVER, dtype=np.int64)


def stopped(question: Question) -> int:
    """Teachers with a later cell in which they no longer take part; they count as taking part nevertheless."""
    cells = _cells(question)
    taking = next((one for one in (question.treated, question.dose) if one is not None), None)
    if question.first_treated is not None or taking is None:
        return 0
    return distinct(cells.teacher[(event_times(cells, first_terms(question)) >= 0) & (taking == 0)])


def _first_of(cells: Cells, taking: Bools) -> Ints:
    never = np.iinfo(np.int64).max
    first = np.full(len(cells.teachers), never)
    np.minimum.at(first, cells.teacher[taking], cells.terms[cells.term[taking]])
    return np.where(first == never, NEVER, first)


def _differs_within(cells: Cells, dose: Floats) -> bool:
    """Whether doses differ within teachers apart from terms."""
    moments = projected_moments(cells.with_columns(dose[:, None]))
    return bool(independent(moments.by_cluster.sum(axis=0)[1:2, 1:2], moments.scale[1:2])[0])
