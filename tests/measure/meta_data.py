"""Published meta-analyses (R package metadat), read from the reference data; what stands here is only how to read them."""

import csv

import numpy as np
import pytest

from tests.measure.panels import REFERENCE_DATA


def table(name: str) -> dict[str, np.ndarray]:
    """Columns of a published file by name; skips the test if the file does not lie there."""
    path = REFERENCE_DATA / name
    if not path.exists():
        pytest.skip(f"reference data are missing: no {path.parent.parent.name}/{path.parent.name}/{name}")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: _column([row[name] for row in rows]) for name in rows[0]}


def _column(values: list[str]) -> np.ndarray:
    try:
        return np.array(values, dtype=float)
    except ValueError:
        return np.array(values)


def raudenbush() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Teacher expectations: effects, standard errors, weeks of contact capped at 3."""
    data = table("dat.raudenbush1985.csv")
    return data["yi"], np.sqrt(data["vi"]), np.minimum(data["weeks"], 3)


def bcg() -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """BCG vaccine: log risk ratios, their standard errors, and the trials' traits."""
    data = table("dat.bcg.csv")
    treated, control = data["tpos"] + data["tneg"], data["cpos"] + data["cneg"]
    effects = np.log(data["tpos"] / treated) - np.log(data["cpos"] / control)
    errors = np.sqrt(1 / data["tpos"] - 1 / treated + 1 / data["cpos"] - 1 / control)
    return effects, errors, data
