"""Did practice change? Observation ratings of teachers beside their students' results, as sums over many teachers only.

Which ratings count (docs/leaders/did-practice-change.md): those in the outcome ledger with a rubric that does not evaluate staff.
What coaches note stays between them and their teachers, and talk reports are shown to the teacher alone: neither is here.
What is kept has no value that follows from one to four teachers, and two digits: however often somebody asks about activities
that differ by one teacher, her rating drowns in the rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from staffroom.knowing.impact import asking
from staffroom.knowing.impact.hiding import SMALLEST, hidden_lines, is_small

if TYPE_CHECKING:
    import numpy as np
    import pyarrow

    from staffroom.measure.answer import Answer
    from staffroom.measure.question import Question
    from staffroom.measure.raters import Ratings

type Line = dict[str, Any]
DIGITS = 2
SIDES = ("treated_teachers", "comparison_teachers")
SAID = ("sd", "low", "high")


def beside(
    found: Answer,
    question: Question,
    material: asking.Material,
    measures: Iterable[tuple[str, bool, pyarrow.Table]],
    generator: np.random.Generator,
) -> Answer:
    """The answer with what changed in each measure: its name, whether higher is better, and rows of `frames.ratings`."""
    from staffroom.measure.mechanism import with_practice

    asked = [(name, ratings_of(rows, material, is_higher)) for name, is_higher, rows in measures if rows.num_rows]
    return with_practice(found, question, [each for each in asked if each[1].value.size], generator, least=SMALLEST)


def ratings_of(rows: pyarrow.Table, material: asking.Material, is_higher_better: bool) -> Ratings:
    """The ratings that a question asks about, as `measure` takes them."""
    import numpy as np

    from staffroom.measure.raters import Ratings

    ordinal = asking._ordinals(material)
    kept = asking._asked_rows([row for row in rows.to_pylist() if row["term_begins_on"] in ordinal], material)
    sign = 1.0 if is_higher_better else -1.0
    return Ratings(
        teacher=np.array([row["teacher_key"] for row in kept], dtype=np.str_),
        term=np.array([ordinal[row["term_begins_on"]] for row in kept], dtype=np.int64),
        value=sign * np.array([row["value"] for row in kept], dtype=np.float64),
    )


# --- What is kept --------------------------------------------------------------------------------------------------------------


def discreet(measures: Sequence[Line], shown_sites: Iterable[str]) -> list[Line]:
    """Measures of practice without what tells of few teachers, and without more digits than are told.

    `shown_sites`: whose effect on results is shown; of no other site both are.
    """
    known = set(shown_sites)
    return [_measure(each, known) for each in measures]


def _measure(said: Line, known: set[str]) -> Line:
    n = said["n"]
    if any(is_small(n.get(name) or 0) for name in SIDES):
        return _hidden(said)
    sites = list(said.get("sites") or ())
    people = [0 if each["hidden"] else min(each["n"].get(name) or 0 for name in SIDES) for each in sites]
    hide = hidden_lines(people, also=[each["hidden"] or each["label"] not in known for each in sites])
    # Once hidden, always hidden; looking a second time hides no more.
    again = any(is_small(count) for count in people) or any(
        not each["hidden"] and each["label"] not in known for each in sites
    )
    chosen = hide if again else [each["hidden"] for each in sites]
    return {
        **said, "effect": _rounded(said.get("effect")), "link": _in_digits(said["link"]),
        "sentence": [_said(each) for each in said["sentence"]], "warnings": [_said(each) for each in said["warnings"]],
        "sites": [_site(each, hidden) for each, hidden in zip(sites, chosen, strict=True)],
    }  # fmt: skip


def _site(site: Line, hidden: bool) -> Line:
    if hidden:
        return {"label": site["label"], "hidden": True, "practice": _rounded(None), "outcome": _rounded(None), "n": {}}
    return {**site, "practice": _rounded(site["practice"]), "outcome": _rounded(site["outcome"])}


def _rounded(effect: Mapping[str, Any] | None) -> Line:
    return {name: None if effect is None or effect.get(name) is None else round(effect[name], DIGITS) for name in SAID}


def _said(sentence: Line) -> Line:
    return {**sentence, "values": _in_digits(sentence["values"])}


def _in_digits(values: Mapping[str, Any]) -> Line:
    return {name: round(value, DIGITS) if isinstance(value, float) else value for name, value in values.items()}


def _hidden(said: Line) -> Line:
    from staffroom.measure.sentence import MESSAGES

    values = {"name": said["name"]}
    text = MESSAGES["practice_hidden"] % values
    return {
        **said, "effect": _rounded(None), "sites": [], "n": {}, "link": {"sites": 0, "tier": 4}, "tier": 4, "warnings": [],
        "sentence": [{"message": "practice_hidden", "values": values, "text": text}],
    }  # fmt: skip


def named(said: Line, called: Mapping[str, str], *, is_by_name: bool) -> Line:
    """A measure with what schools are called in the places of their keys."""
    sites = [{**site, "label": called[site["label"]]} for site in said["sites"] if site["label"] in called]
    return {**said, "sites": sorted(sites, key=lambda site: (0 if is_by_name else len(site["label"]), site["label"]))}
