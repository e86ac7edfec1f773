"""Who may: uploads and files are their owner's. Other rooms lend what they own by media links; nobody else gets a file."""

from __future__ import annotations

from django.db.models import Q

from staffroom.files.models import File, Upload
from staffroom.people.models import Person

# What an upload is for decides what it may be; a purpose that is not named takes every kind that is known.
KINDS_FOR = {
    "lesson": {"video", "audio"},
    "picture": {"image"},
    "roster": {"archive", "table"},
    "table": {"table"},
}


def may_continue(person: Person, upload: Upload) -> bool:
    return bool(person.pk) and upload.owner_id == person.pk


def continuable_by(person: Person) -> Q:
    return Q(owner_id=person.pk or -1)


def may_have(person: Person, file: File) -> bool:
    """Whether the original is the person's own: only its owner ever gets it."""
    return bool(person.pk) and file.owner_id == person.pk


def havable_by(person: Person) -> Q:
    return Q(owner_id=person.pk or -1)


def may_be_used_for(purpose: str, kind: str) -> bool:
    return kind in KINDS_FOR.get(purpose, {kind})
