"""Two-way fixed effects from cells against pyfixest on the same generated student rows.

    python benchmarks/measure_twfe.py --teachers 2000 --terms 8 --students 25

Each side runs in its own process, reads the same Parquet file and is warmed up on a small one first (pyfixest compiles).
Printed: CPU seconds and peak memory of each, their ratio, and how far coefficient and error are apart. With `--study`
also the CPU seconds of a whole study (imputation, event study, Callaway-Sant'Anna, gates) from the same cells.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

CELLS = """
    select teacher, school, term, count(*) n, sum(y) y_sum, sum(y * y) y_sumsq, min(first) first_treated
    from read_parquet(?) group by all
"""


def generate(path: Path, *, teachers: int, terms: int, students: int, seed: int) -> int:
    """Write student rows: 25 teachers a school, half of them starting over time, an effect that grows."""
    import polars

    rng = np.random.default_rng(seed)
    sizes = rng.integers(max(1, students - 8), students + 9, teachers * terms)
    teacher, term = np.divmod(np.repeat(np.arange(teachers * terms), sizes), terms)
    start = np.where(rng.random(teachers) < 0.5, rng.integers(2, terms, teachers), -1)
    first = start[teacher]
    treated = (first >= 0) & (term >= first)
    y = rng.normal(0, 0.3, teachers)[teacher] + 0.05 * term + treated * (0.05 + 0.02 * (term - first))
    y += rng.normal(size=len(y))
    school = teacher // 25
    columns = {"teacher": teacher, "school": school, "term": term, "first": first, "y": y, "d": treated.astype(float)}
    polars.DataFrame(columns).write_parquet(path)
    return len(y)


def by_cells(path: Path) -> tuple[float, float]:
    from staffroom.measure.moments import cells_from_sums
    from staffroom.measure.projection import least_squares

    columns = scan(path)
    first = columns.pop("first_treated")
    cells = cells_from_sums(**columns)
    start = np.zeros(len(cells.teachers), dtype=np.int64)
    start[np.searchsorted(cells.teachers, columns["teacher"])] = first
    start = start[cells.teacher]
    treated = (start >= 0) & (cells.terms[cells.term] >= start)
    fit = least_squares(cells.with_columns(treated[:, None].astype(float)))
    return float(fit.coefficients[0]), float(fit.standard_errors[0])


def scan(path: Path) -> dict[str, np.ndarray]:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        return connection.execute(CELLS, [str(path)]).fetchnumpy()


def by_study(path: Path) -> tuple[float, float]:
    from staffroom.measure.answering import answer
    from staffroom.measure.moments import cells_from_sums
    from staffroom.measure.question import Question, per_teacher

    columns = scan(path)
    first = columns.pop("first_treated")
    cells = cells_from_sums(**columns)
    start = per_teacher(cells, columns["teacher"], first, name="first_treated")
    twfe = answer(Question(cells=cells, first_treated=start), np.random.default_rng(0)).beside["twfe"]
    assert twfe.raw is not None
    return twfe.raw, twfe.raw_se or float("nan")


def by_pyfixest(path: Path) -> tuple[float, float]:
    import pandas
    import pyfixest

    fit = pyfixest.feols("y ~ d | teacher + term", pandas.read_parquet(path), vcov={"CRV1": "school"})
    return float(fit.coef()["d"]), float(fit.se()["d"])


SIDES = {"cells": by_cells, "study": by_study, "pyfixest": by_pyfixest}


def measured(side: str, path: Path, warm: Path) -> dict[str, float]:
    """One side in a process of its own."""
    command = [sys.executable, "-W", "ignore", __file__, "--side", side, str(path), str(warm)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def run_side(side: str, path: str, warm: str) -> None:
    SIDES[side](Path(warm))
    started = time.process_time()
    coefficient, error = SIDES[side](Path(path))
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"cpu_s": seconds, "peak_gib": peak, "coefficient": coefficient, "error": error}))


def compare(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, warm = Path(folder) / "rows.parquet", Path(folder) / "warm.parquet"
        generate(warm, teachers=200, terms=options.terms, students=12, seed=1)
        rows = generate(
            path, teachers=options.teachers, terms=options.terms, students=options.students, seed=options.seed
        )
        print(f"{rows:,} rows, {options.teachers:,} teachers, {options.terms} terms")
        sides = ["cells", *(["study"] if options.study else []), "pyfixest"]
        found = {side: measured(side, path, warm) for side in sides}
    for side, result in found.items():
        print(f"{side:9} {result['cpu_s']:8.2f} CPU s {result['peak_gib']:7.2f} GiB peak")
    ours, theirs = found["cells"], found["pyfixest"]
    print(f"pyfixest / cells: {theirs['cpu_s'] / ours['cpu_s']:.1f} x CPU", end=", ")
    print(f"{theirs['peak_gib'] / ours['peak_gib']:.1f} x memory")
    print(f"coefficients differ by {abs(ours['coefficient'] - theirs['coefficient']):.1e}", end=", ")
    print(f"errors by {abs(ours['error'] - theirs['error']):.1e}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teachers", type=int, default=2000)
    parser.add_argument("--terms", type=int, default=8)
    parser.add_argument("--students", type=int, default=25, help="mean class size, at least 9")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--study", action="store_true", help="also time a whole study")
    parser.add_argument("--side", nargs=3, metavar=("SIDE", "FILE", "WARM"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        run_side(*options.side)
    else:
        compare(options)


if __name__ == "__main__":
    main()
