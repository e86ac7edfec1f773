"""What the asker wants otherwise than the tree decides."""

from dataclasses import dataclass, fields

from staffroom.measure.answer import ESTIMATORS
from staffroom.measure.doubly_robust import METHODS

CHOICES = (*ESTIMATORS, "twfe")
CONTROLS = ("never", "notyet")
CLUSTERS = ("school", "teacher", "site")
BASES = ("varying", "universal")


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the asker wants otherwise than the tree decides; none of these can lift a tier."""

    estimator: str | None = None
    """One of `answer.ESTIMATORS` or 'twfe'."""
    controls: str | None = None
    """'never' or 'notyet': with whom Callaway-Sant'Anna and ETWFE compare."""
    cluster: str | None = None
    """'school', 'teacher' or 'site'."""
    confidence: float | None = None
    sd: float | None = None
    """Standard deviation in outcome units, such as a test's norm."""
    base: str | None = None
    """'varying' or 'universal': what group-time placebos are compared with (`group_time_effects`)."""
    method: str | None = None
    """'dr', 'reg' or 'ipw': how group-time effects use covariates."""
    anticipation: int | None = None
    """Terms before taking part that may have an effect already: no estimator of panels compares with them."""

    def __post_init__(self) -> None:
        allowed_of = {"estimator": CHOICES, "controls": CONTROLS, "cluster": CLUSTERS, "base": BASES, "method": METHODS}
        for name, allowed in allowed_of.items():
            value = getattr(self, name)
            if value is not None and value not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
        if self.anticipation is not None and self.anticipation < 0:
            raise ValueError(f"anticipation must be 0 or more terms, not {self.anticipation}")

    @property
    def any(self) -> bool:
        """Whether anything is overridden that could change the estimate."""
        return any(getattr(self, each.name) is not None for each in fields(self))
