"""The command gives the figures of the page from the files of a study, whatever its design."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.knowing.impact.actions.carrying_questions import as_csv, as_toml, with_moments
from staffroom.knowing.impact.asking import Drawn, Material, question_of
from staffroom.knowing.impact.keeping import kept
from staffroom.knowing.studies import running, telling
from staffroom.measure.answering import answer
from tests.impact import test_asking_by_a_cutoff as jumping
from tests.impact import test_asking_by_earlier_scores_and_doses as others
from tests.impact import test_asking_by_who_was_drawn as drawing

PROTOCOL = {"question": "Does it “work”?\n", "outcome": {"name": "Math"}, "decision": 'Go on\\stop "now".'}
FIGURES = ("raw", "sd", "se", "low", "high", "p")
SEED = 12345


def balanced() -> Material:
    return others.material()


def unequal_hours() -> Material:
    hours = {who: (2, 3 + number % 9) for number, who in enumerate(others.TEACHERS)}
    everybody = dict.fromkeys(others.TEACHERS, date(2025, 9, 1))
    return others.material(
        first_on=everybody, seconds_by_term=others.hours(hours), prior_cells=None, begins=others.TERMS[0].begins_on
    )


def cut() -> Material:
    return jumping.material()


def cut_with_some_who_did_otherwise() -> Material:
    return jumping.material(off=25)


def drawn() -> Material:
    return drawing.material()


def drawn_with_a_second_wave() -> Material:
    two = Drawn(drawing.FIRST, dict.fromkeys(drawing.TEACHERS, "A"), {each: each for each in drawing.TEACHERS},
                date(2026, 1, 12), date(2026, 8, 20))  # fmt: skip
    return drawing.material(drawn=two, begins=date(2026, 1, 12))


def over_time() -> Material:
    return drawing.material(drawn=None, subgroups={"by_earlier_results": True})


def lower_is_better() -> Material:
    return others.material(is_higher_better=False)


DESIGNS = {
    balanced: "entropy_balanced", unequal_hours: "dose", cut: "cutoff", cut_with_some_who_did_otherwise: "cutoff", drawn: "randomized",
    drawn_with_a_second_wave: "randomized", over_time: "imputation", lower_is_better: "entropy_balanced",
}  # fmt: skip


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.__name__)
def test_the_command_gives_the_figures_of_the_page(design: Any, tmp_path: Path) -> None:
    material = design()
    question = question_of(material)
    page = kept(answer(question, np.random.default_rng(SEED)), is_higher_better=material.is_higher_better)
    (tmp_path / "STUDY.toml").write_text(as_toml(question, PROTOCOL, material, SEED))
    (tmp_path / "outcomes.csv").write_text(as_csv(question, is_higher_better=material.is_higher_better))
    ran = telling.told(running.run(tmp_path / "STUDY.toml"))
    assert (ran["estimator"], page["estimator"]) == (DESIGNS[design], DESIGNS[design])
    for name in FIGURES:
        assert ran["effect"][name] == pytest.approx(page["effect"][name], rel=1e-7), name
    assert ran["tier"] == page["tier"]
    assert {gate["name"]: gate["passed"] for gate in ran["gates"]} == {
        gate["name"]: gate["passed"] for gate in page["gates"]
    }
    assert (ran["n"]["teachers"], ran["n"]["students"]) == (page["n"]["teachers"], page["n"]["students"])


def test_what_was_asked_is_read_back_word_for_word() -> None:
    told = tomllib.loads(as_toml(question_of(balanced()), PROTOCOL, balanced(), SEED))
    assert told["study"]["name"] == "Does it “work”? "
    assert told["study"]["decision"] == PROTOCOL["decision"]
    assert told["columns"]["prior"] == "prior"
    assert told["estimate"]["seed"] == SEED


@given(
    st.integers(1, 3).flatmap(
        lambda width: st.lists(
            st.lists(st.floats(-100, 100), min_size=width, max_size=width), min_size=1, max_size=9
        )
    )
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_made_up_rows_have_the_means_and_products_of_the_real_ones(scores: list[list[float]]) -> None:
    real = np.array(scores)
    off = real - real.mean(axis=0)
    made = np.array(with_moments(len(real), real.mean(axis=0), off.T @ off))
    assert made.shape == real.shape
    assert made.mean(axis=0) == pytest.approx(real.mean(axis=0), abs=1e-7)
    again = made - made.mean(axis=0)
    assert again.T @ again == pytest.approx(off.T @ off, abs=1e-6)


def test_the_files_name_nobody() -> None:
    question = question_of(balanced())
    text = as_csv(question) + as_toml(question, PROTOCOL, balanced(), SEED)
    assert not [key for key in (*others.TEACHERS, "s00", "s19") if key in text]
    assert isinstance(balanced().cells, pyarrow.Table)
