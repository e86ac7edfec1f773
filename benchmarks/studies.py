"""A whole study from a file of student rows, with event study and all checks, against pyfixest's feols on the same file.

    python benchmarks/studies.py                       # 10 million rows: 50,000 teachers, 8 terms
    python benchmarks/studies.py --rows 1000000
    python benchmarks/studies.py --rows 100000000 --no-peer
    python benchmarks/studies.py --activities 100      # so many activities of the same results
    python benchmarks/studies.py --engines duckdb polars spark

Each side runs in a process of its own on the same Parquet file, asked to do this:

- study on …: what `staffroom study run` does, whole, from starting Python on: reading, counting students and keys that
  stand twice, the headline (imputation), event study with bands, group-time effects, ETWFE and TWFE beside it, pre-trends,
  HonestDiD, sites and pooling, all other checks, and the result as it is written.
- cells only: two-way fixed effects of one treatment with errors clustered by school, from the same cells; whole, too.
- feols, warm: the same two-way fixed effects by pyfixest, the second of two fits and the reading before it: neither its
  imports nor its compiling are counted. It is the least that the peer can be asked for, and far less than a study.
- feols, event study: pyfixest's event study by dummies (`i(event)`, never-treated teachers at the reference) and the two-way
  fixed effects, errors clustered by school; whole from starting Python on, as ours is. Still no other estimator, checks,
  bands or sites.

Like with like are: cells only with feols, warm (though the peer's imports are left out), and study with feols, event study
(though the study does more). Goals for 10 million rows: at most 6 CPU seconds and 0.5 GB, 5 times less CPU and 10 times less
memory than the peer; 100 activities at most 15 CPU seconds; 100 million rows under 3 GB; the same numbers whichever engine scans.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

TERMS, STUDENTS, PER_SCHOOL = 8, 25, 25
PART = 4_000_000
TOML = """
[data]
outcomes = "results.parquet"
{activities}
[columns]
student = "student"
teacher = "teacher"
school = "school"
term = "term"
score = "score"
{first}
[study]
smallest_effect = 0.05
[estimate]
engine = "{engine}"
"""


def generate(folder: Path, rows: int, activities: int, seed: int = 1) -> int:
    """Student rows in parts, so that a hundred million fit into little memory: half of the teachers start over time."""
    import pyarrow
    import pyarrow.parquet as parquet

    rng = np.random.default_rng(seed)
    teachers = max(100, rows // (TERMS * STUDENTS))
    first = np.where(rng.random(teachers) < 0.5, rng.integers(2, TERMS, teachers), -1)
    own, written = rng.normal(0, 0.3, teachers), 0
    kinds = [(name, pyarrow.int64()) for name in ("student", "teacher", "school", "term", "first")]
    with parquet.ParquetWriter(
        folder / "results.parquet", pyarrow.schema([*kinds, ("score", pyarrow.float64())])
    ) as writer:
        for begin in range(0, teachers, max(1, PART // (TERMS * STUDENTS))):
            end = min(teachers, begin + PART // (TERMS * STUDENTS))
            sizes = rng.integers(STUDENTS - 8, STUDENTS + 9, (end - begin) * TERMS)
            teacher, term = np.divmod(np.repeat(np.arange((end - begin) * TERMS), sizes), TERMS)
            teacher += begin
            treated = (first[teacher] >= 0) & (term >= first[teacher])
            score = (
                own[teacher]
                + 0.05 * term
                + treated * (0.05 + 0.02 * (term - first[teacher]))
                + rng.normal(size=teacher.size)
            )
            # A student belongs to a school and comes back the next year, to another teacher.
            student = (teacher // PER_SCHOOL) * 4096 + rng.permuted(np.arange(teacher.size) % 4096)
            student = student * 1000 + np.arange(teacher.size) % 1000
            columns = (
                student,
                teacher,
                teacher // PER_SCHOOL,
                term,
                np.where(first[teacher] < 0, 99, first[teacher]),
                score,
            )
            writer.write_table(
                pyarrow.table(
                    dict(zip(("student", "teacher", "school", "term", "first", "score"), columns, strict=True))
                )
            )
            written += teacher.size
    _write_activities(folder, teachers, activities, rng)
    return written


def _write_activities(folder: Path, teachers: int, activities: int, rng: np.random.Generator) -> None:
    import polars

    starts = []
    for activity in range(activities):
        who = rng.choice(teachers, teachers // 3, replace=False)
        starts.append(polars.DataFrame({"teacher": who, "first_treated": rng.integers(2, TERMS, who.size)})
                      .with_columns(activity=polars.lit(f"Activity {activity}")))  # fmt: skip
    if starts:
        polars.concat(starts).write_parquet(folder / "activities.parquet")


def study(folder: Path, engine: str, activities: int) -> dict[str, float]:
    from staffroom.knowing.studies import running, telling

    (folder / "study.toml").write_text(
        TOML.format(
            engine=engine, activities='activities = "activities.parquet"' if activities else "",
            first="" if activities else 'first_treated = "first"',
        )
    )  # fmt: skip
    result = telling.told(running.run(folder / "study.toml"))
    effects = [one["effect"] for one in result.get("studies", [result])]
    return {"effect": effects[0]["raw"], "error": effects[0]["raw_se"], "answers": len(effects)}


def cells_only(folder: Path) -> dict[str, float]:
    """Two-way fixed effects of taking part, clustered by school, from one scan."""
    from staffroom.knowing.frames.files import Layout, Scan, in_memory
    from staffroom.measure.cells import cells_from_moments
    from staffroom.measure.projection import least_squares

    how = Layout("teacher", ("score",), (0.0,), school="school", term="term", constants=("first",))
    with Scan([folder / "results.parquet"]) as scan:
        found = scan.moments(how)
    column = {name: in_memory(found[name]) for name in found.column_names}
    n, mean = column["n"], column["sum_0"] / column["n"]
    cells = cells_from_moments(
        teacher=column["of_teacher"], school=column["of_school"], term=column["of_term"], n=n, mean=mean[:, None],
        scatter=(column["product_0_0"] - n * mean**2)[:, None, None],
    )  # fmt: skip
    first = np.zeros(len(cells.teachers), dtype=np.int64)
    first[np.searchsorted(cells.teachers, column["of_teacher"])] = column["least_first"]
    treated = cells.terms[cells.term] >= first[cells.teacher]
    fit = least_squares(cells.with_columns(treated[:, None].astype(np.float64)))
    return {"effect": float(fit.coefficients[0]), "error": float(fit.standard_errors[0])}


def _peer_data(folder: Path, rows: int | None) -> Any:
    import polars

    columns = ["teacher", "school", "term", "first", "score"]
    data = polars.read_parquet(folder / "results.parquet", columns=columns, n_rows=rows)
    return data.with_columns(treated=(polars.col("term") >= polars.col("first")).cast(polars.Float64))


def _peer_fit(data: Any) -> dict[str, float]:
    import pyfixest

    found = pyfixest.feols("score ~ treated | teacher + term", data, vcov={"CRV1": "school"})
    return {"effect": float(found.coef().iloc[0]), "error": float(found.se().iloc[0])}


def peer_warm(folder: Path) -> dict[str, float]:
    """pyfixest's two-way fixed effects: once on a small part to compile, then on all."""
    _peer_fit(_peer_data(folder, 200_000).to_pandas())
    began = time.process_time()
    found = _peer_fit(_peer_data(folder, None).to_pandas())
    return {**found, "cpu": time.process_time() - began}


def peer_event_study(folder: Path) -> dict[str, float]:
    """pyfixest's event study and its two-way fixed effects, once, in a fresh process."""
    import polars
    import pyfixest

    event = polars.when(polars.col("first") < TERMS).then(polars.col("term") - polars.col("first")).otherwise(-1)
    data = _peer_data(folder, None).with_columns(event=event).to_pandas()
    found = pyfixest.feols("score ~ i(event, ref=-1) | teacher + term", data, vcov={"CRV1": "school"})
    leads_and_lags = len(found.coef())
    del found
    return {**_peer_fit(data), "answers": leads_and_lags}


SIDES = {"cells": cells_only, "warm": peer_warm, "event": peer_event_study}


def measured(side: str, folder: Path, *words: str) -> dict[str, float]:
    """One side in a process of its own."""
    command = [sys.executable, __file__, "--side", side, "--folder", str(folder), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        raise SystemExit(f"{side} did not work")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--activities", type=int, default=0)
    parser.add_argument("--engines", nargs="+", default=["duckdb"], choices=("duckdb", "polars", "spark"))
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--side")
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    if chosen.side:
        side = SIDES.get(chosen.side)
        found = side(chosen.folder) if side else study(chosen.folder, chosen.side, chosen.activities)
        found.setdefault("cpu", time.process_time())
        found["memory"] = _peak_gib()
        print(json.dumps(found))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        return _compare(Path(folder), chosen)


def _peak_gib() -> float:
    """Of this program alone: what getrusage tells begins with the peak of whoever started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 2**20


def _compare(folder: Path, chosen: argparse.Namespace) -> int:
    rows = generate(folder, chosen.rows, chosen.activities)
    print(f"{rows:,} rows, {(folder / 'results.parquet').stat().st_size / 2**20:.0f} MiB as Parquet")
    found = {}
    for engine in chosen.engines:
        one = found[engine] = measured(engine, folder, "--activities", str(chosen.activities))
        print(f"study on {engine:10} {one['cpu']:7.2f} CPU s   {one['memory']:6.2f} GiB   {one['answers']:.0f} answers")
    first = found[chosen.engines[0]]
    for engine, one in found.items():
        apart = abs(one["effect"] - first["effect"]) / abs(first["effect"])
        print(f"{engine}: effect {one['effect']:.10f} (SE {one['error']:.10f}), {apart:.1e} from {chosen.engines[0]}'s")
    if not chosen.no_peer:
        _against_peer(folder, first)
    return 0


def _against_peer(folder: Path, study: dict[str, float]) -> None:
    named = {"cells": "cells only", "warm": "feols, warm", "event": "feols, event study"}
    found = {side: measured(side, folder) for side in named}
    for side, name in named.items():
        one = found[side]
        print(
            f"{name:19} {one['cpu']:7.2f} CPU s   {one['memory']:6.2f} GiB   TWFE {one['effect']:.9f} ({one['error']:.9f})"
        )
    pairs = (
        ("feols, event study / study, like with like", "event", study),
        ("feols, warm / cells only, like with like", "warm", found["cells"]),
        ("feols, warm / study, which does far more", "warm", study),
    )
    for name, side, ours in pairs:
        cpu, memory = (found[side][what] / ours[what] for what in ("cpu", "memory"))
        print(f"{name:44} {cpu:5.1f} times the CPU, {memory:5.1f} times the memory")


if __name__ == "__main__":
    raise SystemExit(main())
