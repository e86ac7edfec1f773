"""One study over several organizations by sums alone: the same numbers as if all results lay in one place."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from staffroom.knowing.impact import federating
from staffroom.measure.cells import Cells
from staffroom.measure.moments import cells_from_sums
from staffroom.measure.projection import least_squares
from staffroom.measure.question import Question
from staffroom.records.actions import make_activity
from tests.cast import Cast

BEGINS = [date(2022, 8, 20), date(2023, 1, 15), date(2023, 8, 20), date(2024, 1, 15)]


def district(seed: int, *, schools: int = 12, per_school: int = 8, starts: tuple[int, ...] = (1, 2)) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    teachers = schools * per_school
    first = np.where(rng.random(teachers) < 0.5, rng.choice(starts, teachers), -1)
    who, term = np.divmod(np.arange(teachers * 4), 4)
    n = rng.integers(15, 30, who.size)
    mean = rng.normal(0, 0.3, teachers)[who] + 0.05 * term + 0.2 * ((first[who] >= 0) & (term >= first[who]))
    mean = mean + rng.normal(size=who.size) / np.sqrt(n)
    school = np.char.add(f"{seed}-", (who % schools).astype(str))
    teacher = np.char.add(f"{seed}-", who.astype(str))
    return {
        "teacher": teacher,
        "school": school,
        "term": term,
        "n": n,
        "y_sum": n * mean,
        "y_sumsq": n * (mean**2 + 1),
        "first": first,
    }


def question(drawn: dict[str, Any]) -> Question:
    sums = {name: drawn[name] for name in ("teacher", "school", "term", "n", "y_sum", "y_sumsq")}
    cells = cells_from_sums(**sums)
    order = {label: at for at, label in enumerate(drawn["teacher"])}
    first = drawn["first"][[order[label] // 4 for label in cells.teachers]]
    return Question(cells=cells, first_treated=first)


def through_files(value: dict[str, Any]) -> dict[str, Any]:
    """As it arrives by mail."""
    sent: dict[str, Any] = json.loads(json.dumps(value, allow_nan=False))
    return sent


def federated(questions: list[Question]) -> dict[str, Any]:
    messages = [through_files(federating.sums(each, BEGINS)) for each in questions]
    fit = through_files(federating.joined(messages))
    answers = [through_files(federating.scores(each, BEGINS, fit)) for each in questions]
    return federating.concluded(fit, messages, answers)


def together(questions: list[Question]) -> Cells:
    """The same columns of all organizations in one place."""
    every = federating.every_column([federating.sums(each, BEGINS) for each in questions])
    parts = [federating._aligned(*federating.columns_of(each, BEGINS), every)[0] for each in questions]
    offset = np.cumsum([0] + [len(part.teachers) for part in parts])
    schools = np.cumsum([0] + [len(part.clusters) for part in parts])
    return Cells(
        teacher=np.concatenate([part.teacher + at for part, at in zip(parts, offset, strict=False)]),
        cluster_of=np.concatenate([part.cluster_of + at for part, at in zip(parts, schools, strict=False)]),
        teachers=np.concatenate([part.teachers for part in parts]), terms=parts[0].terms,
        clusters=np.concatenate([part.clusters for part in parts]), term=np.concatenate([part.term for part in parts]),
        n=np.concatenate([part.n for part in parts]), mean=np.concatenate([part.mean for part in parts]),
        scatter=np.concatenate([part.scatter for part in parts]),
    )  # fmt: skip


def test_sums_of_two_districts_give_what_their_results_in_one_place_would() -> None:
    questions = [question(district(1)), question(district(2, starts=(1,)))]
    found = federated(questions)
    cells = together(questions)
    fit = least_squares(cells)
    weight = (cells.n[:, None] * cells.mean[:, 1:]).sum(axis=0)
    weight = weight / weight.sum()
    assert found["sd"] == pytest.approx(float(fit.coefficients @ weight), rel=1e-9)
    assert found["se"] == pytest.approx(float(np.sqrt(weight @ fit.covariance @ weight)), rel=1e-8)
    assert (found["schools"], found["organizations"]) == (24, 2)
    assert found["low"] < 0.2 < found["high"], "what was put in"


def test_nothing_leaves_that_stands_on_fewer_than_five_schools() -> None:
    with pytest.raises(ValueError, match="at least 5"):
        federating.sums(question(district(3, schools=4)), BEGINS)


def test_terms_in_the_same_half_year_are_refused() -> None:
    with pytest.raises(ValueError, match="half-year"):
        federating.sums(question(district(1)), [date(2022, 8, 1), date(2022, 9, 1), date(2023, 1, 1), date(2023, 8, 1)])


def test_a_fit_that_lacks_a_group_says_so() -> None:
    alone = [question(district(seed, starts=(1,))) for seed in (1, 2)]
    fit = federating.joined([federating.sums(each, BEGINS) for each in alone])
    with pytest.raises(ValueError, match="lacks"):
        federating.scores(question(district(3)), BEGINS, fit)


def upload(name: str, value: object) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, json.dumps(value).encode(), "application/json")


@pytest.mark.django_db
def test_whoever_puts_sums_together_gets_the_fit_and_then_the_result(cast: Cast, client: Client) -> None:
    course = make_activity(by=cast.denise, organization=cast.district, name="Exit tickets", kind="course")
    client.force_login(cast.rafael)
    questions = [question(district(1)), question(district(2, starts=(1,)))]
    messages = [federating.sums(each, BEGINS) for each in questions]
    address = f"/evidence/{course.key}/together/join/"
    fit = client.post(address, {"parts": [upload("a.json", messages[0]), upload("b.json", messages[1])]}).json()
    answers = [federating.scores(each, BEGINS, fit) for each in questions]
    everything = [upload(f"{at}.json", each) for at, each in enumerate([fit, *messages, *answers])]
    page = client.post(address, {"parts": everything}).content.decode()
    assert "Over 2 organizations and 24 schools" in page
    few = client.post(address, {"parts": [upload("a.json", messages[0])]})
    assert few.status_code == 422
    assert "two organizations at least" in few.content.decode()


JUNK: list[object] = [
    {}, [], {"format": "staffroom-federation-1"}, {"format": "staffroom-federation-1", "kind": "meat"},
    {"format": "staffroom-federation-1", "kind": "moments", "version": 1, "names": 7},
    {"format": "staffroom-federation-1", "kind": "moments", "version": 1, "names": [[1], {}]},
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_files_that_are_no_sums_are_refused_in_words(cast: Cast, client: Client, junk: object) -> None:
    course = make_activity(by=cast.denise, organization=cast.district, name="Exit tickets", kind="course")
    client.force_login(cast.denise)
    parts = [upload("a.json", junk), upload("b.json", junk)]
    assert client.post(f"/evidence/{course.key}/together/join/", {"parts": parts}).status_code == 422
