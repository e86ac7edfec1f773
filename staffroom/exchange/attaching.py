"""Attachments of statements (Data 2.4.11): what a request must bring with them, and their bytes kept once for a district."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from staffroom.exchange import signatures, strict
from staffroom.exchange.models import Attachment
from staffroom.exchange.multipart import Part
from staffroom.exchange.refusals import Refusal


@dataclass
class Brought:
    """What came with the statements of a request: bytes by their hash, and which of them sign which statement."""

    parts: dict[str, Part] = field(default_factory=dict)
    signed: list[tuple[dict[str, Any], bytes]] = field(default_factory=list)


def read_json(content: bytes) -> Any:
    try:
        return strict.read(content)
    except strict.NotJson as error:
        raise Refusal(400, f"The first part: {error}") from None


def listed(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The attachments that a statement lists, those of its sub-statement too."""
    yield from body.get("attachments", ())
    thing = body["object"]
    if thing.get("objectType") == "SubStatement":
        yield from thing.get("attachments", ())


def check(bodies: list[dict[str, Any]], parts: dict[str, Part] | None) -> Brought:
    """Match what the statements list with what was brought. Refuses (400) bytes that are missing and bytes that nobody lists."""
    brought = Brought(parts or {})
    wanted: set[str] = set()
    for body in bodies:
        for attachment in listed(body):
            sha2 = attachment["sha2"].lower()
            wanted.add(sha2)
            part = brought.parts.get(sha2)
            if part is None and "fileUrl" not in attachment:
                raise Refusal(
                    400, f"The bytes of the attachment {sha2[:16]}… did not come, and it has no fileUrl (2.4.11)."
                )
            if attachment["usageType"] == signatures.USAGE:
                brought.signed.append((body, _signature(attachment, part)))
    if unlisted := sorted(set(brought.parts) - wanted):
        raise Refusal(400, f"No statement lists the attachment {unlisted[0][:16]}… that came (2.4.11).")
    return brought


def _signature(attachment: dict[str, Any], part: Part | None) -> bytes:
    if attachment["contentType"].partition(";")[0].strip().lower() != signatures.MEDIA_TYPE:
        raise Refusal(400, f"The contentType of a signature must be {signatures.MEDIA_TYPE} (2.6).")
    if part is None:
        raise Refusal(400, "The bytes of a signature must come with the statement (2.6).")
    return part.content


def keep(tenant_id: int, parts: dict[str, Part]) -> None:
    """Keep bytes under their hash. What is there already stays as it is."""
    known = set(Attachment.objects.filter(tenant_id=tenant_id, sha2__in=parts).values_list("sha2", flat=True))
    for sha2, part in parts.items():
        if sha2 in known:
            continue
        path = default_storage.save(f"exchange/{tenant_id}/{sha2[:2]}/{sha2}", ContentFile(part.content))
        Attachment.objects.get_or_create(
            tenant_id=tenant_id, sha2=sha2,
            defaults={"content_type": _media_type(part), "length": len(part.content), "path": path},
        )  # fmt: skip


def _media_type(part: Part) -> str:
    return part.headers.get("content-type", "application/octet-stream")[:255]


def bytes_for(tenant_id: int, bodies: Iterable[dict[str, Any]]) -> Iterator[tuple[str, str, bytes]]:
    """Hash, content type and bytes of each attachment of some statements that the store has, once each."""
    wanted = dict.fromkeys(attachment["sha2"].lower() for body in bodies for attachment in listed(body))
    for kept in Attachment.objects.filter(tenant_id=tenant_id, sha2__in=list(wanted)):
        with default_storage.open(kept.path) as file:
            yield kept.sha2, kept.content_type, file.read()
