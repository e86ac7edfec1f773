"""The deeds of this room: having what works computed, asking questions as studies, giving out seats by lot."""

from staffroom.knowing.impact.actions.answering import answer_studies
from staffroom.knowing.impact.actions.applying import (
    ask_for_seat,
    open_applications,
    tell_of_applications,
    tell_of_closing,
    withdraw,
)
from staffroom.knowing.impact.actions.carrying import study_as_files
from staffroom.knowing.impact.actions.carrying_questions import version_as_files
from staffroom.knowing.impact.actions.computing import BREATHER, METHOD, compute, compute_all, want
from staffroom.knowing.impact.actions.lotteries import (
    Round,
    add_applicants,
    announce,
    answer_offer,
    change_lottery,
    draw,
    draw_anew,
    invite,
    published_list,
    remove_applicant,
    start_lottery,
)
from staffroom.knowing.impact.actions.studies import (
    change_study,
    close_study,
    register_study,
    start_study,
    start_study_of_lottery,
    want_answer,
)

__all__ = [
    "BREATHER",
    "METHOD",
    "Round",
    "add_applicants",
    "announce",
    "answer_offer",
    "answer_studies",
    "ask_for_seat",
    "change_lottery",
    "change_study",
    "close_study",
    "compute",
    "compute_all",
    "draw",
    "draw_anew",
    "invite",
    "open_applications",
    "published_list",
    "register_study",
    "remove_applicant",
    "start_lottery",
    "start_study",
    "start_study_of_lottery",
    "study_as_files",
    "tell_of_applications",
    "tell_of_closing",
    "version_as_files",
    "want",
    "want_answer",
    "withdraw",
]
