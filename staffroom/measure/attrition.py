"""How many of those assigned at the start are in the analysis: overall, and on one side more than on the other.

The What Works Clearinghouse judges both together by a boundary that it publishes as a table and as curves. That table is
not encoded here, so no verdict is given: both rates are shown, and which boundary they would have to be held against.
"""

import math
from dataclasses import dataclass

from staffroom.measure.effects import NORMAL

BOUNDARY = "WWC Procedures and Standards Handbook 5.0, attrition boundaries (cautious and optimistic)"
"""What rates are to be held against by a reader; its table is not part of this program."""


@dataclass(frozen=True, slots=True)
class Attrition:
    """Shares (0 to 1) of those assigned who are not in the analysis."""

    overall: float
    differential: float
    """Share lost of those assigned to take part less that of the comparison; beyond 0: more were lost of the former."""
    low: float
    high: float
    """Interval of `differential` (Newcombe 1998, hybrid score), as if people left one by one."""
    treated: float
    comparison: float
    lost: tuple[int, int]
    """Of those assigned to take part, and of the comparison."""
    assigned: tuple[int, int]
    boundary: str = BOUNDARY
    is_boundary_encoded: bool = False


def attrition(
    *, treated_before: int, treated_after: int, comparison_before: int, comparison_after: int, confidence: float = 0.95
) -> Attrition:
    """From counts of those assigned and of those of them who are analyzed; students, teachers or schools.

    Raises ValueError where nobody was assigned to a side or more are analyzed than were assigned.
    """
    sides = (("treated", treated_before, treated_after), ("comparison", comparison_before, comparison_after))
    for name, before, after in sides:
        if before < 1 or not 0 <= after <= before:
            raise ValueError(f"of {before} assigned ({name}), {after} cannot be in the analysis")
    lost = treated_before - treated_after, comparison_before - comparison_after
    shares = lost[0] / treated_before, lost[1] / comparison_before
    (low_t, high_t), (low_c, high_c) = (
        _wilson(share, before, confidence) for share, (_, before, _) in zip(shares, sides, strict=True)
    )
    gap = shares[0] - shares[1]
    return Attrition(
        overall=sum(lost) / (treated_before + comparison_before),
        differential=gap,
        low=gap - math.hypot(shares[0] - low_t, high_c - shares[1]),
        high=gap + math.hypot(high_t - shares[0], shares[1] - low_c),
        treated=shares[0],
        comparison=shares[1],
        lost=lost,
        assigned=(treated_before, comparison_before),
    )


def bias_from_attrition(found: Attrition, gap: float) -> float:
    """How far, in SD, the effect is off if those who are lost differ from those who stay by `gap` SD in both groups.

    Of the observed means each side misses its lost ones: the bias is gap times the difference of the shares lost.
    """
    return -gap * (found.treated - found.comparison)


def _wilson(share: float, n: int, confidence: float) -> tuple[float, float]:
    """Score interval of a share (Wilson 1927)."""
    z = NORMAL.inv_cdf((1 + confidence) / 2)
    middle, room = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, (middle - room) / (1 + z * z / n)), min(1.0, (middle + room) / (1 + z * z / n))
