"""What this room keeps: computed answers, registered studies, lotteries."""

from staffroom.knowing.impact.models.answers import Estimate, Tally

__all__ = ["Estimate", "Tally"]
