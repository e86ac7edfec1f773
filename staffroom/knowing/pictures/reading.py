"""An answer as plain values, whether it comes as a frozen `Answer` or as the JSON that was kept of one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeGuard

type Plain = dict[str, Any]


def plain(value: Any) -> Any:
    """The value as JSON has it: dataclasses by their fields, sentences with their English text, no number that is not finite."""
    if is_dataclass(value) and not isinstance(value, type):
        found = {each.name: plain(getattr(value, each.name)) for each in fields(value)}
        return {**found, "text": str(value)} if set(found) == {"message", "values"} else found
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return plain(value.tolist()) if hasattr(value, "tolist") else str(value)


def answer_of(answer: object) -> Plain:
    """The answer as plain values. TypeError for what is neither an answer nor its JSON."""
    # What was kept as JSON is plain already: a page would copy thousands of values for each picture.
    found = answer if isinstance(answer, dict) else plain(answer)
    if not isinstance(found, dict) or "estimator" not in found:
        raise TypeError("an answer has an estimator and an effect; this has not")
    return found


def has_interval(effect: Mapping[str, Any] | None) -> bool:
    """Whether an effect may be drawn: never without what is likely around it."""
    return effect is not None and all(is_number(effect.get(name)) for name in ("sd", "low", "high"))


def is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def shown(lines: Sequence[Mapping[str, Any]] | None) -> list[Mapping[str, Any]]:
    """Lines with an effect that may be drawn."""
    return [line for line in lines or () if not line.get("hidden") and has_interval(line.get("effect"))]


def size_of(line: Mapping[str, Any]) -> Mapping[str, Any]:
    return line.get("n") or {}
