"""What this room keeps: computed answers, registered studies, lotteries."""

from staffroom.knowing.impact.models.answers import Estimate, Tally
from staffroom.knowing.impact.models.lotteries import Allotment, Applicant, Lot, Lottery, Offer, Wave
from staffroom.knowing.impact.models.studies import Study, StudyAnswer, StudyVersion

__all__ = [
    "Allotment",
    "Applicant",
    "Estimate",
    "Lot",
    "Lottery",
    "Offer",
    "Study",
    "StudyAnswer",
    "StudyVersion",
    "Tally",
    "Wave",
]
