"""An answer as JSON: the Answer field by field, sentences as text, numbers finite or null. docs/leaders/study-from-files.md tells the keys.

What a term is called comes back into the lines: `term` and `group` are the terms' own names.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import numpy as np

from staffroom import __version__
from staffroom.knowing.studies import terms as order
from staffroom.knowing.studies.questions import Inquiry
from staffroom.knowing.studies.running import Found
from staffroom.measure.answer import Answer
from staffroom.measure.sentence import Sentence

FORMAT = "staffroom-study-1"
SCHEMA = "result.schema.json"


def schema() -> dict[str, Any]:
    """The JSON Schema of what `told` gives."""
    found: dict[str, Any] = json.loads(files("staffroom.knowing.studies").joinpath(SCHEMA).read_text(encoding="utf-8"))
    return found


def told(found: Found) -> dict[str, Any]:
    """The whole result of a study: one answer, or several under `studies`."""
    inquiry = found.inquiry
    if len(found.answers) == 1:
        ((activity, answer),) = found.answers.items()
        return {**_frame(inquiry), "activity": activity, **plain(answer, inquiry)}
    studies = [{"activity": activity, **plain(answer, inquiry)} for activity, answer in found.answers.items()]
    return {**_frame(inquiry), "studies": studies, "multiplicity": _multiplicity(found)}


def _frame(inquiry: Inquiry) -> dict[str, Any]:
    study = inquiry.asked.study
    return {
        "format": FORMAT,
        "staffroom": __version__,
        "input_hash": inquiry.digest,
        "seed": inquiry.seed,
        "level": float(inquiry.asked.estimate.get("level", 0.95)),
        "study": {
            "name": inquiry.asked.name,
            "outcome": study.get("outcome") or inquiry.asked.columns.get("score", ""),
            "decision": study.get("decision", ""),
            "smallest_effect": study.get("smallest_effect"),
            "registered": bool(study.get("registered", False)),
        },
    }


def plain(answer: Answer, inquiry: Inquiry | None = None) -> dict[str, Any]:
    """One answer as JSON can hold it."""
    terms = inquiry.gathered.terms if inquiry is not None and inquiry.gathered is not None else None
    notes = inquiry.notes if inquiry is not None else []
    whole: dict[str, Any] = _plain(answer)
    for name in ("sentence", "warnings", "reasons", "decision"):
        whole[name] = [sentence.text for sentence in getattr(answer, name)]
    whole["sentence"] = " ".join(whole["sentence"])
    whole["warnings"] = [*notes, *whole["warnings"]]
    whole["effect"] = whole["effect"] or _plain(dataclasses.replace(_empty(), method=""))
    whole["parts"] = {
        name: [
            {"message": one.message, "values": _plain(dict(one.values)), "text": one.text}
            for one in getattr(answer, name)
        ]
        for name in ("sentence", "warnings", "reasons", "decision")
    }
    if terms is not None:
        for line in (*whole["by_event_time"], *whole["by_group_time"]):
            _name_terms(line, terms)
    return whole


def _empty() -> Any:
    from staffroom.measure.answer import Effect

    return Effect()


def _name_terms(line: dict[str, Any], terms: order.Terms) -> None:
    for key in ("group", "term"):
        if isinstance(line.get(key), int):
            name = terms.name(line[key])
            line[key] = int(name) if name.lstrip("-").isdigit() and len(name) < 16 else name


def _multiplicity(found: Found) -> dict[str, Any]:
    """p-values of all activities, and what is left of them when so many are asked (Benjamini and Hochberg)."""
    from staffroom.measure.multiplicity import benjamini_hochberg

    names = list(found.answers)
    p = [
        one.effect.p if one.effect is not None and one.effect.p is not None else math.nan
        for one in found.answers.values()
    ]
    adjusted: list[float] = [float(value) for value in benjamini_hochberg(np.array(p))]
    return {
        "method": "Benjamini-Hochberg",
        "activities": [
            {"activity": name, "p": _plain(one), "adjusted_p": _plain(after)}
            for name, one, after in zip(names, p, adjusted, strict=True)
        ],
    }


def _plain(value: Any) -> Any:
    """What JSON can hold: dataclasses as objects, arrays as lists, sentences as text, numbers that are not finite as null."""
    if isinstance(value, Sentence):
        return value.text
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str) or value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, Sequence | set | frozenset):
        return [_plain(one) for one in value]
    return str(value)


def as_text(result: Mapping[str, Any]) -> str:
    """JSON for programs and people: indented, UTF-8, never NaN."""
    return json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
