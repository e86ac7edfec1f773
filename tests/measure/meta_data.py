"""Published meta-analyses (R package metadat), read from the reference data; what stands here is only how to read them."""

import numpy as np
import pytest

from tests.measure.panels import REFERENCE_DATA


def _table(name: str) -> dict[str, np.ndarray]:
    path = REFERENCE_DATA / name
    if not path.exists():
        pytest.skip(f"reference data are missing: no {path.parent.parent.name}/{path.parent.name}/{name}")
    table = np.genfromtxt(path, delimiter=",", names=True, dtype=None, encoding="utf-8", deletechars='"')
    columns = {column.strip('"'): table[column] for column in table.dtype.names}
    return {
        name: np.char.strip(values, '"') if values.dtype.kind == "U" else values for name, values in columns.items()
    }


def raudenbush() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Teacher expectations: effects, standard errors, weeks of contact capped at 3."""
    table = _table("dat.raudenbush1985.csv")
    return table["yi"], np.sqrt(table["vi"]), np.minimum(table["weeks"], 3)


def bcg() -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """BCG vaccine: log risk ratios, their standard errors, and the trials' traits."""
    table = _table("dat.bcg.csv")
    treated, control = table["tpos"] + table["tneg"], table["cpos"] + table["cneg"]
    effects = np.log(table["tpos"] / treated) - np.log(table["cpos"] / control)
    errors = np.sqrt(1 / table["tpos"] - 1 / treated + 1 / table["cpos"] - 1 / control)
    return effects, errors, table
