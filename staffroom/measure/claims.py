"""What the asker fixes beforehand, before anything is estimated."""

import math
from dataclasses import dataclass

USUAL = 0.95


@dataclass(frozen=True, slots=True)
class Claims:
    """`smallest_effect` is the one that would matter, in SD."""

    registered: bool = False
    smallest_effect: float = 0.10
    confidence: float = 0.95
    power: float = 0.80
    reference_sd: float | None = None
    """In outcome units, such as a test's norm; default is the SD of the comparison group."""
    students: int | None = None
    """Different students, if known."""

    def __post_init__(self) -> None:
        for name in ("confidence", "power"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must lie strictly between 0 and 1")
        for name in ("smallest_effect", "reference_sd", "students"):
            value = getattr(self, name)
            if value is not None and not (value > 0 and math.isfinite(value)):
                raise ValueError(f"{name} must be above 0 and finite")

    @property
    def strict(self) -> float:
        """The confidence that checks are held against: whoever asks for less than 95 % gets shorter intervals, no better tier."""
        return max(self.confidence, USUAL)
