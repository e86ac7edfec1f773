"""A commented TOML file for a file of results: roles guessed from the names and the first values of its columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from staffroom.knowing.studies import Refused, reading

NAMES: Mapping[str, str] = {
    "student": r"^(student|pupil|child|learner)(_?(id|key|number|no))?$|^(sid|stu_?id)$",
    "teacher": r"^(teacher|instructor|educator|staff)(_?(id|key|number|no))?$|^(tid|county\w*)$",
    "school": r"^(school|campus|building|site_?school)(_?(id|key|number|no|name))?$",
    "term": r"^(term|year|semester|period|time|wave|school_?year|session)(_?(id|key|number|no|name))?$",
    "score": r"^(score|outcome|result|y|value|test_?score|points|scale_?score|lemp)$",
    "prior": r"^(prior|pretest|pre_?test|baseline|previous|lag)(_?(score|value|math|reading))?$",
    "first_treated": r"^(first[_. ]?treat(ed)?|first_?term|start_?term|g|cohort_?year|treat_?year|adopt(ion)?_?(year|term)?)$",
    "treated": r"^(treated|treatment|treat|took_?part|participat\w*|d)$",
    "dose": r"^(dose|hours_?in_?term|sessions|minutes)$",
    "assigned": r"^(assigned|assignment|lottery|drawn|offer(ed)?|z)$",
    "block": r"^(block|stratum|strata|randomization_?block)$",
    "running": r"^(running|running_?variable|rating|margin|eligibility_?score)$",
    "weight": r"^(weight|weights|w|n_?students|class_?size)$",
    "site": r"^(site|district|region|campus_?group)$",
    "cohort": r"^(cohort|entry_?cohort)$",
    "hours": r"^(hours|hours_?of_?training)$",
}
LOOSER: Mapping[str, str] = {
    "student": r"^(student|pupil)",
    "teacher": r"^(teacher|instructor)",
    "school": r"^(school|campus|building)_?(id|name|code|number)?$",
    "term": r"(^|_)(term|semester|year)$",
    "prior": r"(^|_)(pre_?test|baseline|prior)(_|$)",
    "score": r"(^|_)(score|result|points)$|^(post_?test|end_of_year|math|reading)",
    "treated": r"^(treat|took_part|participat)",
    "assigned": r"(^|_)(lottery|won|assigned|drawn)$",
}
"""By what is left over, where no name fits as a whole."""
NEEDED = ("teacher", "score")


def begin(file: Path, to: Path | None) -> Path:
    """Write the TOML; returns where. Refused if there is one already, or the file cannot be read."""
    names, _kind = reading.columns_of(file)
    roles = guessed(names)
    target = to if to is not None else file.with_suffix(".toml") if file.suffix else file / "study.toml"
    text = as_toml(file, target, names, roles)
    try:
        with target.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        raise Refused(f"{target} exists already; nothing was changed") from None
    except OSError as error:
        raise Refused(f"{target}: {error.strerror or error}") from None
    return target


def guessed(names: list[str]) -> dict[str, str]:
    """Role to column, each column once, by the columns' names; the first that fits."""
    found, taken = dict[str, str](), set[str]()
    for patterns in (NAMES, LOOSER):
        for role, pattern in patterns.items():
            for name in names:
                if role not in found and name not in taken and re.search(pattern, _plain(name)):
                    found[role] = name
                    taken.add(name)
    if "first_treated" in found:
        found.pop("treated", None)
    return found


def _plain(name: str) -> str:
    """“Math Scale Score ”, “Treated?”: math_scale_score, treated."""
    return re.sub(r"[^a-z0-9.]+", "_", name.lower()).strip("_")


def wide(names: list[str]) -> list[str]:
    """Columns that are alike but for a number, such as score_2021 and score_2022: a column for each term."""
    stems: dict[str, list[str]] = {}
    for name in names:
        if re.search(r"[a-z].*\d", _plain(name)):
            stems.setdefault(re.sub(r"\d+", "#", _plain(name)), []).append(name)
    return next((alike for alike in stems.values() if len(alike) > 1), [])


def as_toml(file: Path, target: Path, names: list[str], roles: Mapping[str, str]) -> str:
    """The text: what was guessed is set, all else stands behind a # with a word on what it is for."""
    lines = [
        "# A study: one question about one activity and one outcome. `staffroom study check` says what would be done.",
        "",
        "[data]",
        f"outcomes = {_quoted(_relative(file, target))}  # a row for each student and term: CSV, Parquet, or a folder of Parquet",
        '# activities = "activities.csv"    # teacher, term or first_treated; also activity, hours, dose, site, cohort',
        '# assignments = "assignments.csv"  # teacher or school, assigned (0 or 1), block, running',
        '# costs = "costs.csv"              # ingredient, quantity, unit_price (dollars), payer, scales_with, instead',
        '# ratings = "ratings.csv"          # teacher, term, rating, also rater, measure: did practice change? Or single cases:',
        "#                                  # teacher, session, score, phase (0 before, 1 with the activity)",
        "",
        '[columns]  # role = "column"',
    ]
    for role, what in ROLES.items():
        if role in roles:
            lines.append(f"{role} = {_quoted(roles[role])}  # {what}")
        else:
            mark = "" if role in NEEDED else "# "
            lines.append(f'{mark}{role} = ""  # {what}')
    rest = [name for name in names if name not in roles.values()]
    shown = ", ".join(_quoted(name) for name in rest[:12])
    if "score" not in roles and (several := wide(names)):
        lines += [
            f"# {', '.join(_quoted(name) for name in several[:3])} look like a column for each term. A study needs a row for each",
            "# student and term instead: with columns for the student, the teacher, the term and the score.",
        ]
    lines += [f"covariates = []  # of the students, known before the activity; left over: {shown or 'none'}", ""]
    if len(rest) > 12:
        lines[-2] += f" and {len(rest) - 12} more"
    return "\n".join([*lines, STUDY, ""])


ROLES: Mapping[str, str] = {
    "student": "who was tested; lets students be counted and repeated rows be refused",
    "teacher": "whose class it was; taking part is a teacher's",
    "school": "errors are clustered by school; without it, by teacher",
    "term": "when: numbers, dates (2025-09-01) or names such as Fall 2025",
    "score": "the outcome, higher is better (else set higher_is_better = false)",
    "prior": "the same student's score before the activity",
    "first_treated": "the teacher's first term of taking part; empty, 0 before all terms, inf: never",
    "treated": "instead of first_treated: 1 in the terms in which the teacher takes part, else 0",
    "dose": "hours or sessions in the term",
    "assigned": "1 drawn by lot, 0 not drawn, empty: not in the lottery",
    "block": "within which lots were drawn",
    "running": "the score that decided who was offered the activity",
    "cutoff": "where it was cut: a number, or a column",
    "weight": "of a row, above 0",
    "site": "where the activity was run; without it, the school",
    "cohort": "with whom the teacher began",
    "hours": "the teacher's hours in all",
}
STUDY = """[study]
name = ""             # what the question is called
outcome = ""          # what the score measures
smallest_effect = 0.10  # the smallest effect that would matter, in standard deviations
decision = ""         # what hangs on the answer
registered = false    # true only if this file was fixed before the outcomes were known
# terms = []          # in order, where their names do not tell it
# never = []          # further values of first_treated that mean never
# higher_is_better = true
# planned_hours = 30

[estimate]            # nothing is needed here: the data decide
# estimator = ""      # randomized, cutoff, imputation, callaway_santanna, etwfe, entropy_balanced, dose, single_case
# controls = "never"  # or "notyet"
# cluster = "school"  # or "teacher", "site"
# anticipation = 1    # terms before taking part in which it was expected, and may have had an effect already
# level = 0.95
# sd = 10.0           # the test's norm, instead of the comparison group's standard deviation
# calibrate = 200     # how many random fake activities to try on these data (0: none)
# seed = 1            # otherwise it follows from the files"""


def _relative(file: Path, target: Path) -> str:
    there, here = file.resolve(), target.resolve().parent
    return str(there.relative_to(here)) if there.is_relative_to(here) else str(there)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\u{ord(found[0]):04x}", escaped) + '"'
