"""No number that is not finite leaves in an answer: what is unbounded or undefined is None."""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np


def only_finite(value: Any) -> Any:
    """The same value, with None in the place of numbers that are not finite and plain numbers in that of NumPy's."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, np.ndarray):
        return only_finite(value.tolist())
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: only_finite(getattr(value, one.name)) for one in fields(value)})
    if isinstance(value, Mapping):
        return {key: only_finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(only_finite(one) for one in value)
    return value
