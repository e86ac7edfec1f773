"""The question as somebody wrote it: a TOML file of four tables. Unknown names are refused with the nearest known one."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from staffroom.knowing.studies import Refused

LARGEST_TOML = 1_000_000
DATA = ("outcomes", "activities", "costs", "assignments", "ratings")
ROLES = (
    "student", "teacher", "school", "term", "score", "prior", "first_treated", "treated", "dose", "assigned", "block",
    "running", "cutoff", "weight", "covariates", "site", "cohort", "activity", "hours", "session", "phase", "subgroups",
    "rating", "rater", "measure",
)  # fmt: skip
STUDY = (
    "name", "outcome", "activity", "smallest_effect", "decision", "registered", "terms", "never", "higher_is_better",
    "offered", "since", "until", "planned_hours", "students", "reached", "price_year", "organization",
    "practice_version",
)  # fmt: skip
ESTIMATE = (
    "estimator", "controls", "cluster", "level", "power", "sd", "seed", "engine", "base", "method", "anticipation",
    "calibrate",
)  # fmt: skip
TABLES: Mapping[str, tuple[str, ...]] = {"data": DATA, "columns": ROLES, "study": STUDY, "estimate": ESTIMATE}
TREATMENT = ("first_treated", "treated", "dose")


@dataclass(frozen=True, slots=True)
class Asked:
    """A study as asked for; `table.name` of the TOML in four mappings, checked for form but not against the files."""

    file: str
    folder: Path
    data: Mapping[str, Path]
    columns: Mapping[str, str]
    """Role to column, except covariates, subgroups and a cutoff that is a number."""
    covariates: tuple[str, ...] = ()
    subgroups: tuple[str, ...] = ()
    cutoff: float | None = None
    study: Mapping[str, Any] = field(default_factory=dict)
    estimate: Mapping[str, Any] = field(default_factory=dict)
    text: bytes = b""

    @property
    def name(self) -> str:
        """What the study is called."""
        return str(self.study.get("name") or Path(self.file).stem)


def read(path: Path) -> Asked:
    """The study in a TOML file. Raises Refused that names the line or the word that is wrong."""
    try:
        text = path.read_bytes() if _small(path) else b""
        told = tomllib.loads(text.decode("utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"{path.name}: {error}") from None
    except UnicodeDecodeError:
        raise Refused(f"{path.name} is not UTF-8 text") from None
    except RecursionError:
        raise Refused(f"{path.name} nests too deeply") from None
    except OSError as error:
        raise Refused(f"{path}: {error.strerror or error}") from None
    return asked(told, file=path.name, folder=path.resolve().parent, text=text)


def _small(path: Path) -> bool:
    if path.is_dir():
        raise Refused(f"{path} is a folder; name the study's TOML file")
    if path.exists() and not path.is_file():
        raise Refused(f"{path} is not a file")
    if path.stat().st_size > LARGEST_TOML:
        raise Refused(f"{path.name} is too large for a study's TOML file")
    return True


def asked(told: Mapping[str, Any], *, file: str, folder: Path, text: bytes = b"") -> Asked:
    """The study in the tables of a TOML document; paths are relative to `folder`."""
    for table, content in told.items():
        _known(file, "", table, tuple(TABLES))
        if not isinstance(content, dict):
            raise Refused(f"{file}: [{table}] must be a table")
        for name in content:
            _known(file, f"[{table}] ", name, TABLES[table])
    data = _paths(file, folder, told.get("data", {}))
    columns = dict(told.get("columns", {}))
    covariates = _names(file, columns.pop("covariates", []), "covariates")
    subgroups = _names(file, columns.pop("subgroups", []), "subgroups")
    cutoff = columns.pop("cutoff") if isinstance(columns.get("cutoff"), (int, float)) else None
    for role, column in columns.items():
        if column == "":
            raise Refused(f"{file}: [columns] {role} is empty; write the name of its column, or take the line out")
        if not isinstance(column, str) or not column.strip():
            raise Refused(f"{file}: [columns] {role} must be the name of a column")
    study, estimate = told.get("study", {}), told.get("estimate", {})
    _check_study(file, study)
    _check_estimate(file, estimate)
    found = Asked(file, folder, data, columns, covariates, subgroups, _number_or_none(cutoff), study, estimate, text)
    _check_roles(found)
    return found


def _known(file: str, where: str, name: str, names: tuple[str, ...]) -> None:
    if name in names:
        return
    near = difflib.get_close_matches(name, names, 1, 0.6)
    hint = f"; did you mean “{near[0]}”?" if near else f"; known are {', '.join(names)}"
    raise Refused(f"{file}: {where}“{name}” is not known{hint}")


def _paths(file: str, folder: Path, data: Mapping[str, Any]) -> dict[str, Path]:
    for name, path in data.items():
        if not isinstance(path, str) or not path.strip() or "\0" in path:
            raise Refused(f"{file}: [data] {name} must be the path of a file")
    if not {"outcomes", "ratings"} & set(data):
        raise Refused(f"{file}: [data] must name outcomes, the file with the students' results (or ratings)")
    return {name: folder / _home(file, name, path) for name, path in data.items()}


def _home(file: str, name: str, path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise Refused(f"{file}: [data] {name}: there is nobody here whose folder “{path[:40]}” could be") from None


def _names(file: str, value: Any, role: str) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(name, str) and name.strip() for name in listed):
        raise Refused(f"{file}: [columns] {role} must be a list of columns, such as ['lunch', 'language']")
    if len(set(listed)) < len(listed):
        raise Refused(f"{file}: [columns] {role} names a column twice")
    return tuple(listed)


def _number_or_none(value: Any) -> float | None:
    return None if value is None else float(value)


def _check_roles(found: Asked) -> None:
    columns, file = found.columns, found.file
    if "outcomes" in found.data:
        for role in ("teacher", "score"):
            if role not in columns:
                raise Refused(f"{file}: [columns] must name {role}: which column of the outcomes holds it")
    given = [role for role in ("first_treated", "treated") if role in columns]
    if len(given) > 1:
        raise Refused(f"{file}: [columns] names both first_treated and treated; one of them says who took part when")
    taken = {columns.get("score"), columns.get("prior")} & set(found.covariates)
    if taken - {None}:
        raise Refused(f"{file}: [columns] “{min(map(str, taken - {None}))}” is a score and a covariate at once")
    if columns.get("score") and columns.get("score") == columns.get("prior"):
        raise Refused(f"{file}: [columns] score and prior are the same column")


TEXTS = ("name", "outcome", "activity", "decision", "offered", "since", "until", "organization", "practice_version")


def _check_study(file: str, study: Mapping[str, Any]) -> None:
    for name in TEXTS:
        if name in study and not isinstance(study[name], str):
            raise Refused(f"{file}: [study] {name} must be text in quotation marks")
    for name in ("smallest_effect", "planned_hours", "students", "reached", "price_year"):
        if name in study:
            _positive(file, f"[study] {name}", study[name])
            if name in ("students", "reached", "price_year") and not (
                isinstance(study[name], int) and study[name] < 10**12
            ):
                raise Refused(f"{file}: [study] {name} must be a whole number")
    for name in ("terms", "never"):
        if name in study and not isinstance(study[name], list):
            raise Refused(f"{file}: [study] {name} must be a list")
    if "higher_is_better" in study and not isinstance(study["higher_is_better"], bool):
        raise Refused(f"{file}: [study] higher_is_better must be true or false")
    if study.get("offered", "above") not in ("above", "below"):
        raise Refused(f"{file}: [study] offered must be 'above' or 'below' the cutoff")


def _check_estimate(file: str, estimate: Mapping[str, Any]) -> None:
    for name in ("estimator", "controls", "cluster", "engine", "base", "method"):
        if name in estimate and not isinstance(estimate[name], str):
            raise Refused(f"{file}: [estimate] {name} must be text in quotation marks")
    if estimate.get("engine", "duckdb") not in ("duckdb", "polars", "spark"):
        raise Refused(f"{file}: [estimate] engine must be duckdb, polars or spark, not “{estimate['engine']}”")
    for name in ("level", "power", "sd"):
        if name in estimate:
            _positive(file, f"[estimate] {name}", estimate[name])
    if not 0.5 <= estimate.get("level", 0.95) < 1:
        raise Refused(f"{file}: [estimate] level must lie between 0.5 and 1, such as 0.95")
    if not 0 < estimate.get("power", 0.8) < 1:
        raise Refused(f"{file}: [estimate] power must lie between 0 and 1, such as 0.8")
    for name in ("seed", "anticipation", "calibrate"):
        value = estimate.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise Refused(f"{file}: [estimate] {name} must be a whole number of at least 0")


def _positive(file: str, where: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not (value > 0 and math.isfinite(value)):
        raise Refused(f"{file}: {where} must be a number above 0")
