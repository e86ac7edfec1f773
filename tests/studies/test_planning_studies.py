"""`staffroom study power` says which effect a design could see, and how many teachers it would need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from staffroom.knowing.studies.planning import _imputation_weights
from staffroom.measure.power import detectable, from_pilot
from tests.studies.files import as_csv, panel, said, study


def planned(*words: object) -> dict[str, Any]:
    code, out, err = said("power", *words, "--json")
    assert (code, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.mark.parametrize(("teachers", "about"), [(50, 0.12), (100, 0.08), (200, 0.057), (500, 0.036)])
def test_a_comparison_over_time_sees_what_the_design_says_it_sees(teachers: int, about: float) -> None:
    """Classes of 25, 8 terms, half take part from the middle on."""
    found = planned("--design", "comparison", "--teachers", teachers)
    assert found["minimum_detectable_effect"] == pytest.approx(about, rel=0.06)
    needed = found["teachers_needed"]
    assert planned("--design", "comparison", "--teachers", needed)["minimum_detectable_effect"] <= 0.10
    assert planned("--design", "comparison", "--teachers", needed - 1)["minimum_detectable_effect"] > 0.10


def test_weights_of_the_imputation_are_those_of_rows() -> None:
    """The estimator on random cell means: least squares on untreated cells by hand, then the mean gap of treated ones."""
    rng = np.random.default_rng(8)
    sizes = np.array([3.0, 5.0, 4.0])
    treated = np.array([[0, 0, 1, 1, 1], [0, 0, 0, 1, 1], [0, 0, 0, 0, 0]], dtype=bool)
    y = rng.normal(size=treated.shape)
    rows = [(w, t) for w in range(3) for t in range(5) for _ in range(int(sizes[w]))]
    design = np.array([[float(w == k) for k in range(3)] + [float(t == k) for k in range(5)] for w, t in rows])
    values = np.array([y[w, t] for w, t in rows])
    on = np.array([treated[w, t] for w, t in rows])
    fitted = design @ np.linalg.lstsq(design[~on], values[~on], rcond=None)[0]
    assert (_imputation_weights(sizes, treated) * y).sum() == pytest.approx((values - fitted)[on].mean())


def test_a_lottery_within_schools_sees_more_than_one_of_whole_schools() -> None:
    within = planned("--teachers", 120, "--schools", 12)
    whole = planned("--teachers", 120, "--schools", 12, "--unit", "school")
    assert within["minimum_detectable_effect"] < whole["minimum_detectable_effect"]


def test_a_studys_own_files_say_what_more_teachers_would_show(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text(as_csv(panel(schools=24)))
    path = study(tmp_path, data={"outcomes": "results.csv"}, study={"smallest_effect": 0.05})
    (found,) = planned("--from", path)["activities"]
    assert found["minimum_detectable_effect"] > 0.05
    result = json.loads(said("run", path, "--json")[1])
    design = from_pilot(
        result["effect"]["se"], result["effect"]["df"], teachers_then=60, teachers_planned=found["teachers_needed"]
    )
    assert detectable(design) <= 0.05
    code, text, _ = said("power", "--from", path)
    assert code == 0
    assert "teachers are needed" in text


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "--teachers N"),
        (("--teachers", 1), "at least 2"),
        (("--teachers", 50, "--icc", 1), "below 1"),
        (("--teachers", 50, "--share", 0), "between 0 and 1"),
        (("--teachers", 50, "--design", "phase-in", "--terms", 2), "at least 3 terms"),
        (("--teachers", 50, "--unit", "school"), "needs --schools"),
        (("--teachers", 3, "--schools", 1, "--unit", "school"), "no such design"),
        (("--teachers", 50, "--smallest", "nan"), "above 0"),
    ],
)
def test_numbers_that_make_no_design_are_refused(words: tuple[object, ...], complaint: str) -> None:
    code, out, err = said("power", *words)
    assert (code, out) == (2, "")
    assert complaint in err
