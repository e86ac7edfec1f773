"""Answers that were kept before all answers had one shape, put into it; the next computation takes their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

type Kept = Mapping[str, Any]


def answer_of(kept: Kept) -> dict[str, Any]:
    """The JSON of an answer from that of a study of `measure.result`."""
    study = kept["study"]
    n = study["n"]
    return {
        "estimator": study["estimator"], "effect": _effect(study["effect"]) if study["effect"] else None,
        "n": {**n, "schools": n.get("clusters"), "comparison_teachers": n.get("untreated_teachers"), "students": kept.get("students")},
        "by_event_time": [{**_line(line), "event_time": line["key"]} for line in (*kept["leads"], *study["by_event_time"])],
        "gates": study["gates"], "tier": study["tier"], "sentence": study["sentence"], "warnings": study["warnings"],
        "reasons": study["reasons"], "mde": study["mde"], "more_teachers": study["more_teachers"],
        "comparison_sd": study.get("comparison_sd"), "efficiency": _efficiency(kept.get("efficiency")),
        "beside": {name: _effect(study[name]) for name in ("callaway_santanna", "twfe") if study.get(name)},
        "details": {"by_group": [{**_line(line), "group": line["key"]} for line in study["by_group"]]},
    }  # fmt: skip


def _effect(line: Kept) -> dict[str, Any]:
    return {name: line.get(name) for name in ("raw", "sd", "se", "low", "high", "p", "df")}


def _line(line: Kept) -> dict[str, Any]:
    return {"effect": _effect(line), "n": line.get("size") or {}, "hidden": bool(line.get("hidden"))}


def _efficiency(found: Kept | None) -> dict[str, Any]:
    if not found:
        return {"known": False}
    ratio = {
        "value": found["ratio"],
        "low": found["low"],
        "high": found["high"],
        "shape": found["shape"],
        "method": "Fieller",
    }
    return {
        "known": True, "sd_per_10_hours": ratio, "hours_per_teacher": found["hours_per_teacher"], "teachers": found["teachers"],
    }  # fmt: skip
