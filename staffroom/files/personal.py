"""What this room keeps about people. Read by "My record", export, retention and erasure."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from staffroom.files import keeping
from staffroom.files.models import Derivative, File, Upload, UploadPiece
from staffroom.people.models import Person
from staffroom.people.personal import declare, impersonal


def _delete(rows: QuerySet[Any], person: Person) -> int:
    """Rows go, and their bytes with them (``removal``)."""
    return int(rows.delete()[0])


def _bytes_of(file: File) -> list[tuple[str, Any]]:
    from django.core.files.storage import default_storage

    if not keeping.exists(file.path):
        return []
    return [(file.name, default_storage.open(file.path, "rb"))]


def _only_owner(thing: Any) -> str:
    return _("You alone, and whoever you lend what was made of it")


# Long, as a table is: what is declared of each kind, one below the other.
def declare_all() -> None:
    declare(
        model=File,
        what=gettext_lazy("Recordings and other files that you brought, as they came"),
        why=gettext_lazy("So that you can see your own teaching"),
        how_long=gettext_lazy("One school year, or as long as your district keeps things"),
        about=lambda person: Q(owner=person),
        erase=_delete,
        describe=lambda file: (
            _("File “%(name)s”, %(size)s MB") % {"name": file.name, "size": -(-file.size // 1_000_000)}
        ),
        author=lambda file: file.owner.full_name,
        readers=_only_owner,
        export=lambda file: {
            "name": file.name,
            "kind": file.kind,
            "media_type": file.media_type,
            "size": file.size,
            "sha256": file.sha256,
            "duration_ms": file.duration_ms,
            "width": file.width,
            "height": file.height,
            "created_at": file.created_at.isoformat(),
        },
        files=_bytes_of,
        # No warning of its own: the room that uses the file (lessons) warns of its end.
        ends="ends_on",
    )
    declare(
        model=Upload,
        what=gettext_lazy("Uploads under way, and when the finished ones came"),
        why=gettext_lazy("So that an upload can go on after the connection was lost"),
        how_long=gettext_lazy("An unfinished upload a few days; a finished one as long as its file"),
        about=lambda person: Q(owner=person),
        erase=_delete,
        describe=lambda upload: _("Upload of “%(name)s”") % {"name": upload.name},
        author=lambda upload: upload.owner.full_name,
        readers=lambda upload: _("You alone"),
        export=lambda upload: {
            "name": upload.name,
            "size": upload.size,
            "offset": upload.offset,
            "created_at": upload.created_at.isoformat(),
            "finished_at": upload.finished_at.isoformat() if upload.finished_at else None,
        },
        ends=gettext_lazy("Some days after the last byte came, or with its file"),
    )
    declare(
        model=Derivative,
        what=gettext_lazy("What was made of your recordings to be played: video, sound, pictures, clips"),
        why=gettext_lazy("So that recordings play on every device, and a clip can be lent alone"),
        how_long=gettext_lazy("As long as the recording"),
        about=lambda person: Q(file__owner=person),
        erase=_delete,
        describe=lambda derivative: str(derivative),
        author=lambda derivative: _("Made by Staffroom"),
        readers=_only_owner,
        ends=gettext_lazy("With its recording"),
    )
    impersonal(UploadPiece, "Where the bytes of an upload lie until it is whole; goes with it.")
