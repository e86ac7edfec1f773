"""Honest intervals of an event study: CPU seconds here and in moderndid, and how far the ends are apart.

    uv sync --group bench && python benchmarks/honest_did.py

The event study is that of HonestDiD's README (health insurance and Medicaid) where ../shared/data holds it, and two
made-up ones, with more terms. Four values each of relative magnitudes (C-LF) and of smoothness (fixed length). CPU is
that of the process, in one thread; moderndid is warmed up on a small study first. Without moderndid only ours is run.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from staffroom.measure import honest
from staffroom.measure.cells import cells_from_rows
from staffroom.measure.projection import least_squares

MBAR = (0.5, 1.0, 1.5, 2.0)
REFERENCE = Path(__file__).resolve().parents[2] / "shared" / "data" / "ehec_data.dta"

type Study = tuple[np.ndarray, np.ndarray, int, int]


def medicaid() -> Study:
    """Five effects before 2013 and two after, by state and year with errors clustered by state."""
    stata = REFERENCE.read_bytes()
    data = stata[stata.index(b"<data>") + 6 : stata.index(b"</data>")]
    columns = [("state", "i1"), ("year", "<i2"), ("insured", "<f4"), ("expanded", "<f4"), ("weight", "<f4")]
    table = np.frombuffer(data, dtype=columns)
    table = table[(table["year"] < 2016) & (table["expanded"] != 2015)]
    years = (2008, 2009, 2010, 2011, 2012, 2014, 2015)
    dummies = [((table["year"] == year) & (table["expanded"] == 2014)).astype(float) for year in years]
    state = table["state"].astype(int)
    fit = least_squares(
        cells_from_rows(teacher=state, school=state, term=table["year"], columns=[table["insured"], *dummies])
    )
    return fit.coefficients, fit.covariance, 5, 2


def made_up(before: int, after: int) -> Study:
    """Effects of a random walk with errors that hang together."""
    rng = np.random.default_rng(before * 10 + after)
    size = before + after
    root = rng.normal(size=(size, size)) * 0.01
    effects = np.concatenate([rng.normal(0, 0.01, before), 0.12 + 0.02 * np.arange(after)])
    return effects, root @ root.T + 0.0002 * np.eye(size), before, after


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of this process, and the result."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def ours(study: Study, m: tuple[float, ...]) -> np.ndarray:
    """Ends (8, 2): relative magnitudes, then smoothness."""
    effects, covariance, before, after = study
    size = {"before": before, "after": after}
    bounds = honest.relative_magnitudes(effects, covariance, mbar=MBAR, **size)
    bounds += honest.smoothness(effects, covariance, m=m, **size)
    return np.array([(bound.low, bound.high) for bound in bounds])


def theirs(study: Study, m: tuple[float, ...]) -> np.ndarray:
    """The same from moderndid."""
    from moderndid import didhonest

    effects, covariance, before, after = study
    size = {"betahat": effects, "sigma": covariance, "num_pre_periods": before, "num_post_periods": after}
    magnitudes = didhonest.create_sensitivity_results_rm(m_bar_vec=np.array(MBAR), **size)
    smooth = didhonest.create_sensitivity_results_sm(m_vec=np.array(m), **size)
    return np.array([row[:2] for found in (magnitudes, smooth) for row in found.rows()])


def compare(name: str, study: Study, *, with_peer: bool) -> None:
    """Print one study's CPU seconds and, beside the peer, the ratio and the largest difference in standard errors."""
    error = float(np.sqrt(study[1][study[2], study[2]]))
    m = tuple(error * share for share in (0.0, 0.5, 1.0, 2.0))
    mine, found = timed(lambda: ours(study, m))
    broken, value = timed(lambda: honest.breakdown(study[0], study[1], before=study[2], after=study[3]))
    print(f"{name}: ours {mine:.3f} CPU s, breakdown value {value:.2f} in {broken:.3f} CPU s")
    if with_peer:
        other, reference = timed(lambda: theirs(study, m))
        apart = np.abs(found - reference).max(axis=1) / error
        print(f"    moderndid {other:.2f} CPU s, {other / mine:.0f} times ours; ends apart at most (standard errors):")
        print(f"    relative magnitudes {apart[:4].max():.3f}, smoothness {apart[4:].max():.6f}")


def peer_is_there() -> bool:
    """Whether moderndid can be imported; warms it up."""
    warnings.filterwarnings("ignore")
    try:
        theirs(made_up(2, 2), (0.0,))
    except ImportError:
        print("moderndid is not installed (uv sync --group bench): only ours is measured")
        return False
    return True


def main() -> None:
    """Compare all studies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--without-peer", action="store_true", help="only ours")
    options = parser.parse_args()
    with_peer = not options.without_peer and peer_is_there()
    ours(made_up(2, 2), (0.0,))  # imports what is imported late
    if REFERENCE.exists():
        compare("Medicaid, 5 terms before and 2 after", medicaid(), with_peer=with_peer)
    compare("made up, 4 terms before and 4 after", made_up(4, 4), with_peer=with_peer)
    compare("made up, 6 terms before and 6 after", made_up(6, 6), with_peer=with_peer)


if __name__ == "__main__":
    main()
