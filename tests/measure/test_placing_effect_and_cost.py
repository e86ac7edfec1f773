"""The cost plane: prices that are ranges and teachers' own parts make the cost uncertain, and the ellipse holds both."""

import dataclasses
from decimal import Decimal

import numpy as np
import pytest

from staffroom.measure.answering import answer
from staffroom.measure.effects import NORMAL, fieller, t_quantile
from staffroom.measure.question import CostLine, Costs, Ingredient
from tests.measure.test_answering_questions import a_question


def line(name: str, price: int, quantity: int, spread: tuple[int, int] | None = None) -> CostLine:
    return CostLine(Ingredient(name, Decimal(quantity), price), price_range=spread)


@pytest.fixture(scope="module")
def question():
    return a_question(schools=24, per_school=6, terms=5, effect=0.3)


def with_costs(question, **costs):
    return answer(dataclasses.replace(question, costs=Costs(students=2000, **costs))).cost


def test_ranges_of_prices_add_up_to_the_error_of_the_cost(question):
    known = with_costs(question, lines=(line("coach", 50_000, 100), line("books", 1_000, 500)))
    assert known.per_student_se_usd_cents is None
    assert known.region == ()
    found = with_costs(
        question, lines=(line("coach", 50_000, 100, (40_000, 60_000)), line("books", 1_000, 500, (800, 1_400)))
    )
    width = 2 * NORMAL.inv_cdf(0.975)
    expected = np.hypot(100 * 20_000, 500 * 600) / width / 2000
    assert found.per_student_se_usd_cents == pytest.approx(expected)
    assert found.per_student_usd_cents == known.per_student_usd_cents
    assert found.correlation == 0
    assert found.sd_per_1000_usd.value == pytest.approx(known.sd_per_1000_usd.value)
    assert found.sd_per_1000_usd.low < known.sd_per_1000_usd.low
    effect = answer(question).effect
    ratio = fieller(
        effect.sd, 5_500_000 / 2000 / 100_000, effect.se, expected / 100_000, quantile=t_quantile(0.975, effect.df)
    )
    assert (found.sd_per_1000_usd.low, found.sd_per_1000_usd.high) == pytest.approx((ratio.low, ratio.high), rel=1e-6)


def test_the_ellipse_holds_effect_and_cost_together_in_95_of_100_draws(question):
    rng = np.random.default_rng(1)
    parts = rng.normal(30_000, 8_000, len(question.cells.teachers)).clip(1_000)
    found = with_costs(question, total_usd_cents=4_000_000, by_teacher_usd_cents=parts)
    effect, error = answer(question).effect, found.per_student_se_usd_cents
    assert error > 0
    assert -1 < found.correlation < 1
    shape = np.array([[error**2, found.correlation * error * effect.se], [0.0, effect.se**2]])
    shape[1, 0] = shape[0, 1]
    middle = np.array([4_000_000 / 2000, effect.sd])
    away = np.array(found.region) - middle
    distance = np.einsum("pi,ij,pj->p", away, np.linalg.inv(shape), away)
    assert distance == pytest.approx(5.991465)
    draws = rng.multivariate_normal(np.zeros(2), shape, 20_000)
    inside = np.einsum("pi,ij,pj->p", draws, np.linalg.inv(shape), draws) <= distance[0]
    assert inside.mean() == pytest.approx(0.95, abs=0.005)


@pytest.mark.parametrize("wrong", [(60_000, 40_000), (-1, 5)])
def test_ranges_that_are_none_are_refused(wrong):
    with pytest.raises(ValueError, match="low price"):
        line("coach", 50_000, 1, wrong)
