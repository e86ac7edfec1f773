"""An answer with something for every picture; its numbers are made up, its shape is that of `measure.answer`."""

from __future__ import annotations

from dataclasses import replace

from staffroom.measure.answer import (
    Answer,
    CostOf,
    Effect,
    Efficiency,
    Line,
    Ratio,
    Replicability,
    Scalability,
    Size,
)
from staffroom.measure.gates import Gate
from staffroom.measure.sentence import say

NAMES = (
    "Alder",
    "Birch",
    "Cedar",
    "Dogwood",
    "Elm <East> & West",
    "Fir",
    "George Washington Carver Elementary",
    "Hazel",
)


def effect(sd: float, se: float) -> Effect:
    return Effect(raw=sd * 12, sd=sd, se=se, low=sd - 1.96 * se, high=sd + 1.96 * se, p=0.01, df=20.0, method="CR2")


def size(teachers: int) -> Size:
    return Size(students=teachers * 25, teachers=teachers, schools=1, clusters=1, results=teachers * 100)


def sites() -> tuple[Line, ...]:
    found = [
        Line(effect(0.04 + 0.03 * number, 0.05 + 0.01 * (number % 3)), size(6 + 4 * number), group=name,
             shrunken=effect(0.1 + 0.012 * number, 0.04), leave_one_out=0.13 - 0.004 * number)
        for number, name in enumerate(NAMES)
    ]  # fmt: skip
    return (*found[:-1], Line(Effect(), size(0), group="Hazel", hidden=True))


def events() -> tuple[Line, ...]:
    return tuple(
        replace(
            Line(effect(0.01 * (-1) ** time if time < 0 else 0.08 + 0.02 * time, 0.03), size(40), event_time=time),
            band_low=-0.09 + (0.08 + 0.02 * time if time >= 0 else 0), band_high=0.09 + (0.08 + 0.02 * time if time >= 0 else 0),
        )
        for time in range(-3, 5)
    )  # fmt: skip


def waves() -> tuple[dict[str, object], ...]:
    return tuple(
        {"wave": number + 1, "term": number, "teachers": 20 * 2**number, "cumulative_teachers": 20 * (2 ** (number + 1) - 1),
         "effect": effect(0.16 - 0.03 * number, 0.035), "marginal_cost_usd_cents": 90_000 - 12_000 * number,
         "dose_delivered": 0.95 - 0.1 * number}
        for number in range(4)
    )  # fmt: skip


def full() -> Answer:
    """Everything known."""
    return Answer(
        estimator="imputation", effect=effect(0.12, 0.03), n=Size(6_400, 128, 16, 16, 42_000, 64, 64, 8),
        by_event_time=events(), gates=(Gate("registered", True, 1.0, 1.0, say("registered")),), tier=2,
        replicability=Replicability(
            known=True, by="site", sites=8, pooled=effect(0.118, 0.025), prediction_low=-0.02, prediction_high=0.26,
            probability_positive=0.94, tau=0.05, tau_low=0.0, tau_high=0.12, i2=38.0, leave_one_out_low=0.1, leave_one_out_high=0.14,
            replications=4, by_site=sites(),
        ),
        scalability=Scalability(
            known=True, slope=effect(-0.03, 0.02), last_over_first=0.44, ratio_low=0.1, ratio_high=1.1, ratio_shape="bounded",
            dose_delivered=0.8, by_wave=waves(),
        ),
        efficiency=Efficiency(True, "", Ratio(0.06, 0.03, 0.09, "bounded", "Fieller"), 20.0, 64),
        cost=CostOf(
            known=True, total_usd_cents=5_000_000, per_teacher_usd_cents=78_125, per_student_usd_cents=3_125,
            marginal_teacher_usd_cents=54_000, price_year=2026, sd_per_1000_usd=Ratio(3.84, 1.9, 5.7, "bounded", "bootstrap"),
            acceptability=tuple((amount, min(0.99, amount / 60_000)) for amount in (5_000, 10_000, 20_000, 40_000, 80_000)),
        ),
        sentence=(say("exploratory"),), comparison_sd=12.0, improvement_index=4.8, mde=0.08, more_teachers=0,
        details={
            "honest": {
                "relative_magnitudes": [{"m": m, "low": 0.07 - 0.05 * m, "high": 0.17 + 0.05 * m} for m in (0, 0.5, 1, 1.5, 2)],
                "breakdown": {"relative_magnitudes": 1.4},
            },
            "balance": [
                {"name": "Score before", "treated_mean": 201.0, "comparison_mean": 199.0, "g_before": 0.17, "g_after": 0.01},
                {"name": "Free lunch", "treated_mean": 0.4, "comparison_mean": 0.54, "g_before": -0.31, "g_after": -0.04},
            ],
            "single_case": {
                "series": [{"label": "Ms. A", "values": [20, 20, 26, 25, 22, 23, 28, 25, 24, 27], "phases": [0] * 6 + [1] * 4}]
            },
        },
    )  # fmt: skip
