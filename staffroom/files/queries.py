"""Reads: a person's uploads and files, what was made from a file, links to media, and whether the bytes are in order."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.text import get_valid_filename

from staffroom.files import keeping, rules
from staffroom.files.models import Derivative, File, Upload
from staffroom.people.models import Person
from staffroom.permissions import rules as lending
from staffroom.permissions.models import BreakGlass, Share

SALT = "staffroom.files.media"
# What has a fixed type is served as that type; whatever else is there is not served.
MEDIA_TYPES = {
    Derivative.Kind.WEB_VIDEO: ("video/mp4", ".mp4"),
    Derivative.Kind.CLIP: ("video/mp4", ".mp4"),
    Derivative.Kind.WEB_AUDIO: ("audio/mp4", ".m4a"),
    Derivative.Kind.POSTER: ("image/jpeg", ".jpg"),
    Derivative.Kind.STORYBOARD: ("image/jpeg", ".jpg"),
    Derivative.Kind.WAVEFORM: ("application/json", ".json"),
}


def uploads_for(viewer: Person) -> QuerySet[Upload]:
    return Upload.objects.filter(rules.continuable_by(viewer))


def files_for(viewer: Person) -> QuerySet[File]:
    """The files that the viewer brought. What others lend reaches a viewer by media links of the room that owns it."""
    return File.objects.filter(rules.havable_by(viewer))


def received(upload: Upload) -> int:
    """How many bytes of an upload are safely here."""
    if upload.finished_at:
        return upload.size or 0
    return keeping.part_file(upload.key).offset() if keeping.is_local() else upload.offset


def derivatives_of(file: File) -> dict[str, Derivative]:
    """What was or is being made of the whole file, by kind. Clips are asked for by ``clip_of``."""
    whole = file.derivatives.filter(start_ms=0, end_ms=0)
    return {derivative.kind: derivative for derivative in whole}


def clip_of(file: File, start_ms: int, end_ms: int) -> Derivative | None:
    return file.derivatives.filter(kind=Derivative.Kind.CLIP, start_ms=start_ms, end_ms=end_ms).first()


def storage_used(person: Person) -> int:
    """The bytes that a person keeps: files, and uploads still under way at the size they were announced with."""
    kept = File.objects.filter(owner=person).exclude(state=File.State.REFUSED).aggregate(sum=Sum("size"))["sum"] or 0
    announced = Coalesce("size", "offset")
    coming = Upload.objects.filter(owner=person, finished_at=None).aggregate(sum=Sum(announced))["sum"] or 0
    return int(kept + coming)


def room_left(person: Person) -> int:
    return max(0, int(settings.QUOTA_BYTES) - storage_used(person))


@dataclass(frozen=True)
class MediaLink:
    """What a media link says once its signature and age are found good. ``viewer`` is None for a public share."""

    viewer: int | None
    derivative: uuid.UUID | None = None
    original: uuid.UUID | None = None
    share: uuid.UUID | None = None
    break_glass: int | None = None
    is_download: bool = False


def media_url(
    viewer: Person | None,
    derivative: Derivative,
    share: Share | None = None,
    filename: str = "",
    *,
    break_glass: BreakGlass | None = None,
    is_download: bool = False,
) -> str:
    """A link that plays a derivative for one viewer, for a short time. The caller has found that the share is of this thing.

    Refuses (PermissionDenied) whoever is neither the owner nor lent it, and a download that the share does not allow.
    """
    _refuse_link(viewer, derivative.file, share, break_glass, is_download)
    suffix = MEDIA_TYPES[Derivative.Kind(derivative.kind)][1]
    said = {"d": derivative.key.hex, "v": viewer.pk if viewer and viewer.pk else None}
    said |= {"s": share.key.hex} if share else {}
    said |= {"b": break_glass.pk} if break_glass else {}
    said |= {"a": 1} if is_download else {}
    return _signed_url(said, filename or f"{derivative.kind}{suffix}")


def original_url(owner: Person, file: File) -> str:
    """A link by which an owner gets her own file back as it came. The caller logs it (``permissions.note_access``)."""
    if not rules.may_have(owner, file) or file.state != File.State.READY:
        raise PermissionDenied
    return _signed_url({"o": file.key.hex, "v": owner.pk, "a": 1}, file.name)


def _refuse_link(
    viewer: Person | None, file: File, share: Share | None, break_glass: BreakGlass | None, is_download: bool
) -> None:
    is_owner = viewer is not None and rules.may_have(viewer, file)
    if share is not None:
        is_public = share.audience == Share.Audience.PUBLIC
        reaches = is_public or (viewer is not None and lending.reaches(share, viewer))
        is_lent = share.owner_id == file.owner_id and lending.is_live(share) and (reaches or is_owner)
        if not is_lent or (is_download and not share.may_download):
            raise PermissionDenied
    elif not is_owner and not (break_glass and viewer and _opens(break_glass, viewer, file) and not is_download):
        raise PermissionDenied


def _opens(break_glass: BreakGlass, viewer: Person, file: File) -> bool:
    is_approved = break_glass.approved_at is not None and (break_glass.expires_at or timezone.now()) > timezone.now()
    is_one_of_two = viewer.pk in (break_glass.asked_by_id, break_glass.approved_by_id)
    return is_approved and is_one_of_two and break_glass.owner_id == file.owner_id


def _signed_url(said: dict[str, Any], filename: str) -> str:
    signed = signing.dumps(said, salt=SALT)
    return reverse("files:media", args=[signed, _safe_name(filename)])


def _safe_name(filename: str) -> str:
    try:
        return get_valid_filename(filename.replace("..", ""))[-100:]
    except ValueError:
        return "media"


def read_link(signed: str) -> MediaLink | None:
    """What a link says; None when it was not made here or is too old."""
    try:
        said = signing.loads(signed, salt=SALT, max_age=settings.MEDIA_S)
        return MediaLink(
            viewer=said["v"],
            derivative=uuid.UUID(said["d"]) if "d" in said else None,
            original=uuid.UUID(said["o"]) if "o" in said else None,
            share=uuid.UUID(said["s"]) if "s" in said else None,
            break_glass=said.get("b"),
            is_download=bool(said.get("a")),
        )
    except (signing.BadSignature, ValueError, KeyError, TypeError):
        return None


def served_by(link: MediaLink) -> QuerySet[Derivative] | QuerySet[File]:
    """The thing that a link serves, as long as it may be served: asked again for every piece of it that is sent."""
    if link.derivative:
        may = Q(file__owner=link.viewer) if _is_owners(link) else _lent(link)
        return Derivative.objects.filter(
            may, key=link.derivative, state=Derivative.State.READY, file__state=File.State.READY
        )
    return File.objects.filter(key=link.original or uuid.UUID(int=0), state=File.State.READY, owner=link.viewer)


class Permit:
    """Whether what a link serves may still be sent: asked before every piece, so its question is compiled once a request.

    What can be taken back at any moment (the share, the thing itself) is looked up each time, the session once a second, and
    an end that was set beforehand is held against the clock.
    """

    SESSION_EVERY_S = 1.0

    def __init__(self, link: MediaLink, session: SessionBase) -> None:
        self._sql, self._values = served_by(link).order_by().values("pk").query.sql_with_params()
        self._ends_at = _end_of(link)
        self._session = session if link.viewer is not None else None
        self._session_seen = 0.0

    def holds(self) -> bool:
        if self._ends_at and self._ends_at <= timezone.now():
            return False
        return self._is_signed_in() and self._is_there()

    def _is_signed_in(self) -> bool:
        if self._session is None or monotonic() - self._session_seen < self.SESSION_EVERY_S:
            return True
        self._session_seen = monotonic()
        return is_signed_in(self._session)

    def _is_there(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(self._sql, self._values)
            return cursor.fetchone() is not None


def _end_of(link: MediaLink) -> datetime | None:
    if link.share:
        return Share.objects.filter(key=link.share).values_list("expires_at", flat=True).first()
    if link.break_glass:
        return BreakGlass.objects.filter(pk=link.break_glass).values_list("expires_at", flat=True).first()
    return None


def _is_owners(link: MediaLink) -> bool:
    return link.share is None and link.break_glass is None


def _lent(link: MediaLink) -> Q:
    if link.share:
        live = Share.objects.filter(lending.live_shares(), key=link.share, owner=OuterRef("file__owner"))
        if link.is_download:
            live = live.filter(may_download=True)
        if link.viewer is None:
            live = live.filter(audience=Share.Audience.PUBLIC)
        return Q(Exists(live))
    glass = BreakGlass.objects.filter(
        Q(asked_by=link.viewer) | Q(approved_by=link.viewer),
        pk=link.break_glass or 0, approved_at__isnull=False, expires_at__gt=timezone.now(), owner=OuterRef("file__owner"),
    )  # fmt: skip
    return Q(Exists(glass))


def still_reached(link: MediaLink) -> bool:
    """Whether the share's audience still includes the viewer: asked once a request, since circles change slowly."""
    if link.share is None:
        return True
    share = Share.objects.filter(key=link.share).first()
    viewer = Person.objects.filter(pk=link.viewer, is_active=True).first() if link.viewer else None
    if share is None or (viewer is None and link.viewer):
        return False
    if viewer is None:
        return share.audience == Share.Audience.PUBLIC
    return share.owner_id == viewer.pk or lending.reaches(share, viewer)


def is_signed_in(session: SessionBase) -> bool:
    """Whether a session still exists: signing out, here or elsewhere, ends it."""
    return bool(session.session_key) and session.exists(session.session_key or "")


@dataclass
class Health:
    """What ``staffroom doctor`` says about bytes: things whose bytes are gone, bytes that belong to nothing."""

    missing: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    orphan_bytes: int = 0
    overdue_uploads: int = 0
    stuck_files: int = 0
    failed_derivatives: int = 0
    free_bytes: int = 0

    @property
    def is_well(self) -> bool:
        return not (self.missing or self.orphans or self.stuck_files) and self.free_bytes > keeping.RESERVE_BYTES


def health() -> Health:
    """Hold the database against the storage. Reads names and sizes only; changes nothing."""
    found = Health(free_bytes=keeping.free_bytes())
    lying = dict(keeping.all_names())
    known = set(File.objects.exclude(path="").values_list("path", flat=True))
    known |= set(Derivative.objects.exclude(path="").values_list("path", flat=True))
    found.missing = sorted(known - set(lying))
    found.orphans = sorted(set(lying) - known)
    found.orphan_bytes = sum(lying[name] for name in found.orphans)
    now = timezone.now()
    found.overdue_uploads = Upload.objects.filter(finished_at=None, expires_at__lt=now).count()
    hour_ago = now - timedelta(hours=1)
    found.stuck_files = File.objects.filter(state=File.State.CHECKING, created_at__lt=hour_ago).count()
    found.failed_derivatives = Derivative.objects.filter(state=Derivative.State.FAILED).count()
    return found
