"""The words of the activity ledger: verbs, kinds of object and extensions, each with the vocabulary that it comes from.

All of them are published by others, so that any tool that reads xAPI understands our statements. We have coined none. Words that only
other programs write are known as well (`foreign_verbs`), so that their entries read well here.
A room that needs a further word adds it here, from one of these vocabularies if they have it. ``docs/developers/records.md``
lists them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Where the words were published, as the profiles of ADL (github.com/adlnet/xapi-authored-profiles) name them.
SOURCES: dict[str, str] = {
    "http://adlnet.gov/expapi/": "ADL vocabulary",
    "https://w3id.org/xapi/adl/": "ADL vocabulary",
    "https://w3id.org/xapi/video/": "xAPI video profile",
    "https://w3id.org/xapi/acrossx/": "AcrossX profile",
    "http://activitystrea.ms/": "Activity Streams 1.0",
    "http://id.tincanapi.com/": "Tin Can registry",
}
VIDEO_PROFILE = "https://w3id.org/xapi/video"


@dataclass(frozen=True)
class Verb:
    """A word for what somebody did: its IRI, the English word that statements carry, and the word that pages show."""

    iri: str
    english: str
    label: str | Promise

    def __str__(self) -> str:
        return self.iri

    @property
    def source(self) -> str:
        """The vocabulary that publishes the word."""
        return source_of(self.iri)


def source_of(iri: str) -> str:
    """The published vocabulary that an IRI belongs to; empty for words of other tools."""
    return next((name for start, name in SOURCES.items() if iri.startswith(start)), "")


class verbs:
    """Every verb that Staffroom itself uses."""

    ACCEPTED = Verb("http://activitystrea.ms/accept", "accepted", _("accepted"))
    ANNOTATED = Verb("https://w3id.org/xapi/acrossx/verbs/annotated", "annotated", _("annotated"))
    ANSWERED = Verb("http://adlnet.gov/expapi/verbs/answered", "answered", _("answered"))
    ASKED = Verb("http://adlnet.gov/expapi/verbs/asked", "asked", _("asked"))
    ATTENDED = Verb("http://adlnet.gov/expapi/verbs/attended", "attended", _("took part"))
    CANCELED = Verb("http://activitystrea.ms/cancel", "canceled", _("canceled"))
    COMMENTED = Verb("http://adlnet.gov/expapi/verbs/commented", "commented", _("commented"))
    COMPLETED = Verb("http://adlnet.gov/expapi/verbs/completed", "completed", _("completed"))
    CREATED = Verb("http://activitystrea.ms/create", "created", _("created"))
    DELETED = Verb("http://activitystrea.ms/delete", "deleted", _("deleted"))
    DOWNLOADED = Verb("http://id.tincanapi.com/verb/downloaded", "downloaded", _("downloaded"))
    EDITED = Verb("https://w3id.org/xapi/acrossx/verbs/edited", "edited", _("edited"))
    EXPERIENCED = Verb("http://adlnet.gov/expapi/verbs/experienced", "experienced", _("experienced"))
    IMPORTED = Verb("http://adlnet.gov/expapi/verbs/imported", "imported", _("imported"))
    INITIALIZED = Verb("http://adlnet.gov/expapi/verbs/initialized", "initialized", _("began"))
    INVITED = Verb("http://activitystrea.ms/invite", "invited", _("invited"))
    JOINED = Verb("http://activitystrea.ms/join", "joined", _("joined"))
    LEFT = Verb("http://activitystrea.ms/leave", "left", _("left"))
    LOGGED_IN = Verb("https://w3id.org/xapi/adl/verbs/logged-in", "logged in", _("signed in"))
    LOGGED_OUT = Verb("https://w3id.org/xapi/adl/verbs/logged-out", "logged out", _("signed out"))
    MENTORED = Verb("http://id.tincanapi.com/verb/mentored", "mentored", _("coached"))
    OPENED = Verb("http://activitystrea.ms/open", "opened", _("opened"))
    PAUSED = Verb("https://w3id.org/xapi/video/verbs/paused", "paused", _("paused"))
    PLAYED = Verb("https://w3id.org/xapi/video/verbs/played", "played", _("played"))
    READ = Verb("http://activitystrea.ms/read", "read", _("read"))
    REGISTERED = Verb("http://adlnet.gov/expapi/verbs/registered", "registered", _("registered"))
    REMOVED = Verb("http://activitystrea.ms/remove", "removed", _("removed"))
    REPLIED = Verb("http://id.tincanapi.com/verb/replied", "replied", _("replied"))
    RETRACTED = Verb("http://activitystrea.ms/unshare", "unshared", _("took back"))
    REVIEWED = Verb("http://id.tincanapi.com/verb/reviewed", "reviewed", _("reviewed"))
    SAVED = Verb("http://activitystrea.ms/save", "saved", _("saved"))
    SCHEDULED = Verb("http://activitystrea.ms/schedule", "scheduled", _("scheduled"))
    SEEKED = Verb("https://w3id.org/xapi/video/verbs/seeked", "seeked", _("moved to"))
    SHARED = Verb("http://adlnet.gov/expapi/verbs/shared", "shared", _("shared"))
    SUBMITTED = Verb("http://activitystrea.ms/submit", "submitted", _("handed in"))
    TAGGED = Verb("http://activitystrea.ms/tag", "tagged", _("tagged"))
    TALKED_WITH = Verb("http://id.tincanapi.com/verb/talked-with", "talked with", _("talked with"))
    UPDATED = Verb("http://activitystrea.ms/update", "updated", _("updated"))
    VIEWED = Verb("http://id.tincanapi.com/verb/viewed", "viewed", _("viewed"))
    VOIDED = Verb("http://adlnet.gov/expapi/verbs/voided", "voided", _("voided"))
    WATCHED = Verb("https://w3id.org/xapi/acrossx/verbs/watched", "watched", _("watched"))


VERBS: dict[str, Verb] = {verb.iri: verb for verb in vars(verbs).values() if isinstance(verb, Verb)}


class foreign_verbs:
    """Verbs that Staffroom never writes but knows when other programs do: those of cmi5 and of SCORM-like courses."""

    ABANDONED = Verb("https://w3id.org/xapi/adl/verbs/abandoned", "abandoned", _("broke off"))
    FAILED = Verb("http://adlnet.gov/expapi/verbs/failed", "failed", _("did not pass"))
    INTERACTED = Verb("http://adlnet.gov/expapi/verbs/interacted", "interacted", _("used"))
    LAUNCHED = Verb("http://adlnet.gov/expapi/verbs/launched", "launched", _("opened"))
    MASTERED = Verb("http://adlnet.gov/expapi/verbs/mastered", "mastered", _("mastered"))
    PASSED = Verb("http://adlnet.gov/expapi/verbs/passed", "passed", _("passed"))
    PROGRESSED = Verb("http://adlnet.gov/expapi/verbs/progressed", "progressed", _("went on"))
    RESUMED = Verb("http://adlnet.gov/expapi/verbs/resumed", "resumed", _("resumed"))
    SATISFIED = Verb("https://w3id.org/xapi/adl/verbs/satisfied", "satisfied", _("did all that was asked"))
    SCORED = Verb("http://adlnet.gov/expapi/verbs/scored", "scored", _("got a score"))
    SUSPENDED = Verb("http://adlnet.gov/expapi/verbs/suspended", "suspended", _("left for later"))
    TERMINATED = Verb("http://adlnet.gov/expapi/verbs/terminated", "terminated", _("ended"))
    WAIVED = Verb("https://w3id.org/xapi/adl/verbs/waived", "waived", _("was excused"))


FOREIGN_VERBS: dict[str, Verb] = {verb.iri: verb for verb in vars(foreign_verbs).values() if isinstance(verb, Verb)}
# What says that something is done: a course, a part of it, a workshop.
COMPLETING = (
    verbs.COMPLETED, foreign_verbs.PASSED, foreign_verbs.SATISFIED, foreign_verbs.MASTERED, foreign_verbs.WAIVED, verbs.ATTENDED,
)  # fmt: skip


class types(StrEnum):
    """What kind of thing a deed was done to (xAPI: the activity type)."""

    ASSESSMENT = "http://adlnet.gov/expapi/activities/assessment"
    COURSE = "http://adlnet.gov/expapi/activities/course"
    FILE = "http://adlnet.gov/expapi/activities/file"
    LESSON = "http://adlnet.gov/expapi/activities/lesson"
    MEDIA = "http://adlnet.gov/expapi/activities/media"
    MEETING = "http://adlnet.gov/expapi/activities/meeting"
    PROFILE = "http://adlnet.gov/expapi/activities/profile"
    QUESTION = "http://adlnet.gov/expapi/activities/question"
    VIDEO = "https://w3id.org/xapi/video/activity-type/video"
    COLLABORATION = "https://w3id.org/xapi/acrossx/activities/collaboration"
    LEARNING_PLAN = "https://w3id.org/xapi/acrossx/activities/learning-plan"
    NOTE = "https://w3id.org/xapi/acrossx/activities/note"
    EVENT = "http://activitystrea.ms/event"
    COMMENT = "http://activitystrea.ms/comment"
    ORGANIZATION = "http://activitystrea.ms/organization"
    DISCUSSION = "http://id.tincanapi.com/activitytype/discussion"
    DOCUMENT = "http://id.tincanapi.com/activitytype/document"
    PROJECT = "http://id.tincanapi.com/activitytype/project"
    RESOURCE = "http://id.tincanapi.com/activitytype/resource"
    TUTOR_SESSION = "http://id.tincanapi.com/activitytype/tutor-session"


class extensions(StrEnum):
    """Keys of what a statement says beyond the built-in properties."""

    FOCUS = "http://id.tincanapi.com/extension/topic"
    VIDEO_LENGTH = "https://w3id.org/xapi/video/extensions/length"
    VIDEO_PLAYED_SEGMENTS = "https://w3id.org/xapi/video/extensions/played-segments"
    VIDEO_PROGRESS = "https://w3id.org/xapi/video/extensions/progress"
    VIDEO_SESSION = "https://w3id.org/xapi/video/extensions/session-id"
    VIDEO_TIME = "https://w3id.org/xapi/video/extensions/time"
    VIDEO_TIME_FROM = "https://w3id.org/xapi/video/extensions/time-from"
    VIDEO_TIME_TO = "https://w3id.org/xapi/video/extensions/time-to"


_types_of_models: dict[str, str] = {}


def set_type(model_label: str, kind: str) -> None:
    """Say what kind of thing a room's model is in statements: ``set_type("lessons.Lesson", types.VIDEO)``, in ``ready()``."""
    _types_of_models[model_label.lower()] = str(kind)


def type_of(model_label: str) -> str:
    """The kind that a room has given its model, or nothing."""
    return _types_of_models.get(model_label.lower(), "")


def verb_label(iri: str) -> str:
    """The word that a page shows for a verb; a verb of another tool by the last part of its IRI."""
    known = VERBS.get(iri) or FOREIGN_VERBS.get(iri)
    return str(known.label) if known else iri.rstrip("/").rpartition("/")[2].rpartition("#")[2].replace("-", " ")
