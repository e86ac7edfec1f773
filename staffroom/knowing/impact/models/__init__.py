"""What this room keeps: computed answers, registered studies, lotteries."""

from staffroom.knowing.impact.models.answers import Estimate, Tally
from staffroom.knowing.impact.models.evidence import Calibration, Evidence, EvidenceKey, SumSharing
from staffroom.knowing.impact.models.growth import Aim, Goal, Standing
from staffroom.knowing.impact.models.lotteries import Allotment, Applicant, Lot, Lottery, Offer, Wave
from staffroom.knowing.impact.models.studies import Study, StudyAnswer, StudyVersion

__all__ = [
    "Aim",
    "Allotment",
    "Applicant",
    "Calibration",
    "Estimate",
    "Evidence",
    "EvidenceKey",
    "Goal",
    "Lot",
    "Lottery",
    "Offer",
    "Standing",
    "Study",
    "StudyAnswer",
    "StudyVersion",
    "SumSharing",
    "Tally",
    "Wave",
]
