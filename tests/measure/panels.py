"""Generated panels of student rows, small enough to check against dense linear algebra."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from staffroom.measure.cells import Cells, cells_from_rows

REFERENCE_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@dataclass(frozen=True)
class Rows:
    """One row per student and term; `first` is the teacher's first treated term, -1 for never."""

    teacher: np.ndarray
    school: np.ndarray
    term: np.ndarray
    y: np.ndarray
    x: np.ndarray
    first: np.ndarray

    @property
    def treated(self):
        return (self.first >= 0) & (self.term >= self.first)

    def cells(self, *, covariates: bool = False) -> Cells:
        columns = [self.y, *(self.x.T if covariates else ())]
        return cells_from_rows(teacher=self.teacher, school=self.school, term=self.term, columns=columns)

    def first_of(self, cells: Cells) -> np.ndarray:
        return np.array([self.first[self.teacher == teacher][0] for teacher in cells.teachers])


def unbalanced_rows(seed: int, *, teachers: int = 18, terms: int = 5, schools: int = 4, missing: float = 0.2) -> Rows:
    """Random sizes, holes, staggered starts, two covariates that move with treatment; the effect grows over time."""
    rng = np.random.default_rng(seed)
    who, when = np.divmod(np.arange(teachers * terms), terms)
    kept = rng.random(who.size) > missing
    n = rng.integers(1, 5, who.size) * kept
    teacher, term = np.repeat(who, n), np.repeat(when, n)
    home = rng.integers(0, schools, teachers)
    start = rng.choice([-1, -1, *range(1, terms)], teachers)
    first = start[teacher]
    treated = (first >= 0) & (term >= first)
    x = rng.normal(size=(teacher.size, 2)) + 0.3 * treated[:, None] + 0.1 * term[:, None]
    level = rng.normal(size=teachers)[teacher] + rng.normal(size=terms)[term]
    y = 50 + level + x @ [0.5, -0.2] + treated * (0.3 + 0.1 * (term - first)) + rng.normal(size=teacher.size)
    return Rows(teacher, home[teacher], term, y, x, first)


def district(
    rng: np.random.Generator,
    *,
    schools: int = 30,
    per_school: int = 14,
    terms: int = 8,
    effect: float = 0.12,
    whole_schools: bool = False,
    share: float = 0.5,
    drift: float = 0.0,
) -> dict[str, np.ndarray]:
    """Arguments for study.estimate: a district in SD units, half of its teachers (or schools) starting over time."""
    teachers = schools * per_school
    school = np.repeat(np.arange(schools), per_school)
    units = schools if whole_schools else teachers
    start = np.where(rng.random(units) < share, rng.integers(2, terms, units), -1)
    first = start[school] if whole_schools else start
    who, when = np.divmod(np.arange(teachers * terms), terms)
    shock = rng.normal(0, 0.08, (schools, terms))[school[who], when] + rng.normal(0, 0.1, who.size)
    level = rng.normal(0, 0.3, teachers)[who] + rng.normal(0, 0.2, schools)[school[who]] + 0.05 * when
    ever = first[who] >= 0
    n = rng.integers(15, 30, who.size)
    truth = level + shock + effect * (ever & (when >= first[who])) + drift * ever * (when - first[who])
    mean = truth + rng.normal(size=who.size) / np.sqrt(n)
    return {
        "teacher": who,
        "school": school[who],
        "term": when,
        "n": n,
        "y_sum": n * mean,
        "y_sumsq": rng.chisquare(n - 1) + n * mean**2,
        "first_treated": first[who],
    }


def mpdta() -> tuple[Rows, np.ndarray]:
    """County teen employment (R package `did`) as rows, a county being teacher and school, and log population."""
    path = REFERENCE_DATA / "mpdta.csv"
    if not path.exists():
        pytest.skip(f"reference data are missing: no {path.parent.parent.name}/{path.parent.name}/mpdta.csv")
    table = np.genfromtxt(path, delimiter=",", names=True, dtype=None, encoding="utf-8", deletechars='"')
    columns = {name.strip('"'): table[name] for name in table.dtype.names}
    county, first = columns["countyreal"], columns["firsttreat" if "firsttreat" in columns else "first.treat"]
    log_population = columns["lpop"]
    never = np.where(first == 0, -1, first).astype(np.int64)
    rows = Rows(county, county, columns["year"], columns["lemp"], log_population[:, None], never)
    return rows, log_population


def dense(codes: np.ndarray) -> np.ndarray:
    """Dummies of each different code: (R, different codes)."""
    return (codes[:, None] == np.unique(codes)).astype(np.float64)
