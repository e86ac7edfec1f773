"""Before a study: which effect a design could see, and how many teachers it would need. Formulas are in `measure.power`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from staffroom.knowing.studies import Refused, running
from staffroom.measure import power

MOST = 100_000
ASKED = ("design", "unit", "teachers", "schools", "students", "terms", "icc", "share", "explained", "smallest", "shock")


def planned(told: Mapping[str, Any]) -> dict[str, Any]:
    """The plan in numbers. Raises Refused for numbers that make no design."""
    if told.get("study"):
        return _from_study(Path(told["study"]))
    plan = {name: told[name] for name in ASKED}
    if plan["teachers"] is None:
        raise Refused("power needs --teachers N, or --from STUDY.toml")
    _check(plan)
    make = _maker(plan)
    try:
        design = make(plan["teachers"])
        found = power.detectable(design)
        chance = power.power(design, plan["smallest"])
    except ValueError as error:
        raise Refused(f"with {plan['teachers']} teachers there is no such design: {error}") from None
    return {
        "format": "staffroom-power-1",
        **plan,
        "standard_error": design.standard_error,
        "df": design.df,
        "minimum_detectable_effect": found,
        "power_for_smallest": chance,
        "teachers_needed": power.needed(make, plan["smallest"], most=MOST),
    }


def _check(plan: Mapping[str, Any]) -> None:
    for name, least in (("teachers", 2), ("students", 1), ("terms", 1), ("schools", 1)):
        if plan[name] is not None and plan[name] < least:
            raise Refused(f"--{name} must be at least {least}")
    for name in ("icc", "explained", "shock"):
        if not 0 <= plan[name] < 1:
            raise Refused(f"--{name} must be at least 0 and below 1")
    if plan["icc"] + plan["shock"] >= 1:
        raise Refused("--icc and --shock together must be below 1")
    if not 0 < plan["share"] < 1:
        raise Refused("--share must lie between 0 and 1")
    if not (plan["smallest"] > 0 and math.isfinite(plan["smallest"])):
        raise Refused("--smallest must be above 0")
    if plan["design"] != "lottery" and plan["terms"] < 3:
        raise Refused(f"a {plan['design']} needs at least 3 terms; see --terms")
    if plan["unit"] == "school" and not plan["schools"]:
        raise Refused("--unit school needs --schools N")


def _maker(plan: Mapping[str, Any]) -> Callable[[int], power.Design]:
    """From a number of teachers to a design; schools grow in proportion."""
    if plan["design"] != "lottery":
        return lambda teachers: _panel(plan, teachers)
    each = plan["teachers"] / plan["schools"] if plan["schools"] else None
    more = {"share": plan["share"], "r2": plan["explained"]}
    if plan["unit"] == "school":
        assert each is not None
        return lambda teachers: power.schools(
            plan["students"], each, teachers / each, icc_teacher=plan["icc"], icc_school=plan["icc"] / 3,
            r2_teacher=plan["explained"], r2_school=plan["explained"], **more,
        )  # fmt: skip
    if each is None or each <= 2:
        return lambda teachers: power.clusters(
            plan["students"], teachers, icc=plan["icc"], r2_cluster=plan["explained"], **more
        )
    return lambda teachers: power.blocked_clusters(
        plan["students"], each, teachers / each, icc_teacher=plan["icc"], r2_teacher=plan["explained"], **more
    )


def _panel(plan: Mapping[str, Any], teachers: int) -> power.Design:
    """A comparison over time with teachers' and terms' own levels taken out, by the imputation estimator.

    One start halfway ('comparison'), or waves that start one after another by lot from the second third on ('phase-in').
    With equal classes the estimator sees wave by term means alone, so its variance follows from their weights.
    """
    terms, share = int(plan["terms"]), plan["share"]
    waves = [terms // 2] if plan["design"] == "comparison" else list(range(max(1, terms // 3), terms))
    sizes = np.array([teachers * share / len(waves)] * len(waves) + [teachers * (1 - share)])
    treated = np.array([[term >= wave for term in range(terms)] for wave in waves] + [[False] * terms])
    cell = (1 - plan["icc"] - plan["shock"]) * (1 - plan["explained"]) / plan["students"] + plan["shock"]
    weights = _imputation_weights(sizes, treated)
    variance = float((weights**2 / sizes[:, None]).sum() * cell)
    units = teachers if not plan["schools"] else plan["schools"] * teachers / plan["teachers"]
    if units < 3:
        raise ValueError("there are fewer than 3 clusters")
    return power.Design(variance, units - 1)


def _imputation_weights(sizes: np.ndarray[Any, Any], treated: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """What each mean of a wave in a term (W, T) counts in the average effect over treated results."""
    waves, terms = treated.shape
    design = np.zeros((waves * terms, waves + terms))
    rows = np.arange(waves * terms)
    design[rows, rows // terms] = 1.0
    design[rows, waves + rows % terms] = 1.0
    mass = np.repeat(sizes, terms)
    on = treated.ravel()
    target = np.where(on, mass, 0.0) / mass[on].sum()
    normal = (design[~on] * mass[~on, None]).T @ design[~on]
    fitted = np.linalg.pinv(normal) @ (design.T @ target)
    counterfactual = design @ fitted * mass
    return np.asarray(np.where(on, target, -counterfactual)).reshape(waves, terms)


def _from_study(path: Path) -> dict[str, Any]:
    """From a study's own files: the error that they would give, carried to other numbers of teachers."""
    inquiry = running.read(path)
    plans = []
    for activity, answer in running.answered(inquiry, calibrate=False).items():
        effect, smallest = answer.effect, inquiry.questions[activity].claims.smallest_effect
        plan: dict[str, Any] = {
            "activity": activity, "teachers": answer.n.teachers, "treated_teachers": answer.n.treated_teachers,
            "schools": answer.n.schools, "smallest": smallest, "minimum_detectable_effect": answer.mde,
            "teachers_needed": None,
        }  # fmt: skip
        if effect is not None and effect.se is not None and answer.n.teachers:
            se, df, then = effect.se, effect.df or max(answer.n.clusters - 1, 1), answer.n.teachers

            def make(teachers: int, se: float = se, df: float = df, then: int = then) -> power.Design:
                return power.from_pilot(se, df, teachers_then=then, teachers_planned=teachers)

            plan["teachers_needed"] = power.needed(make, smallest, most=MOST)
        plans.append(plan)
    return {
        "format": "staffroom-power-1",
        "study": inquiry.asked.name,
        "input_hash": inquiry.digest,
        "activities": plans,
    }


def printed(found: Mapping[str, Any]) -> str:
    """For people."""
    lines = []
    for one in found.get("activities", [found]):
        if "activity" in one:
            lines.append(f"{one['activity']}:")
        mde = one["minimum_detectable_effect"]
        if mde is None:
            lines.append("These data give no standard error, so it is not known which effect could be seen.")
        else:
            lines.append(
                f"With {one['teachers']} teachers you could see an effect of {mde:.2f} SD or more (4 times in 5)."
            )
        if "power_for_smallest" in one:
            lines.append(
                f"An effect of {one['smallest']:.2f} SD would be seen {100 * one['power_for_smallest']:.0f} times in 100."
            )
        needed = one["teachers_needed"]
        if needed is None and mde is not None:
            lines.append(f"More than {MOST} teachers would be needed to see {one['smallest']:.2f} SD.")
        elif needed is not None:
            lines.append(f"To see {one['smallest']:.2f} SD reliably, about {needed} teachers are needed.")
    return "\n".join(lines) + "\n"
