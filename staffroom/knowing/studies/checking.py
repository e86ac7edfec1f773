"""What `run` would do, without an estimate: the estimator and why, what the files hold, and which effect could be seen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from staffroom.knowing.studies import printing, running, telling
from staffroom.measure.answer import Answer
from staffroom.measure.deciding import decide

BLIND = (
    "registered",
    "minimum_cell",
    "clusters",
    "sample",
    "minimum_detectable_effect",
    "baseline",
    "attrition",
    "composition",
)
"""Gates that do not tell how the outcomes came out."""


def checked(path: Path) -> dict[str, Any]:
    """Raises Refused as `running.run` does."""
    inquiry = running.read(path)
    answers = running.answered(inquiry, calibrate=False)
    gathered = inquiry.gathered
    found: dict[str, Any] = {
        "format": "staffroom-study-check-1",
        "study": inquiry.asked.name,
        "input_hash": inquiry.digest,
        "rows": gathered.rows.rows if gathered else None,
        "rows_used": gathered.rows.complete if gathered else None,
        "students": gathered.students.different if gathered and gathered.students else None,
        "terms": sorted(gathered.terms.number, key=lambda name: gathered.terms.number[name]) if gathered else [],
        "columns": dict(inquiry.asked.columns)
        | ({"covariates": list(inquiry.asked.covariates)} if inquiry.asked.covariates else {}),
        "warnings": list(inquiry.notes),
        "activities": [],
    }
    for activity, question in inquiry.questions.items():
        decision, answer = decide(question), answers[activity]
        found["activities"].append(
            {
                "activity": activity,
                "estimator": decision.estimator,
                "decision": [sentence.text for sentence in decision.sentences],
                **_blind(answer),
            }
        )
    return found


def _blind(answer: Answer) -> dict[str, Any]:
    """What may be known before the outcomes are looked at."""
    whole = telling.plain(answer)
    return {
        "n": whole["n"],
        "minimum_detectable_effect": whole["mde"],
        "checks": [gate for gate in whole["gates"] if gate["name"] in BLIND],
        "reasons": whole["reasons"],
    }


def printed(found: Mapping[str, Any]) -> str:
    """For people, 80 columns."""
    lines = [found["study"], "=" * min(len(found["study"]), printing.WIDTH), ""]
    if found["rows"] is not None:
        lines += printing._row("Rows", f"{found['rows_used']} of {found['rows']} can be used")
    if found["students"]:
        lines += printing._row("Students", str(found["students"]))
    if found["terms"]:
        lines += printing._row("Terms", ", ".join(found["terms"][:12]) + (" …" if len(found["terms"]) > 12 else ""))
    for one in found["activities"]:
        lines += ["", *(printing._row("Activity", one["activity"]) if len(found["activities"]) > 1 else ())]
        lines += printing._row("Would be done", printing.ESTIMATORS.get(one["estimator"], one["estimator"]))
        for sentence in one["decision"]:
            lines += printing._wrapped(sentence, first="  - ", rest="    ")
        n = one["n"]
        lines += printing._row(
            "Based on", f"{n['teachers']} teachers in {n['schools']} schools; {n['treated_teachers']} took part"
        )
        if one["minimum_detectable_effect"] is not None:
            lines += printing._row("Could be seen", f"an effect of {one['minimum_detectable_effect']:.3f} SD or more")
        lines += printing._checks({"gates": one["checks"]})
    lines += printing._listed("Mind", list(found["warnings"]))
    return "\n".join([*lines, "", "Nothing was estimated. `staffroom study run` does it."]) + "\n"
