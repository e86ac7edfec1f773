"""Where a row goes, its bytes go: however it was deleted (by its owner, by retention, with an erased person), after the commit."""

from __future__ import annotations

from typing import Any

import structlog
from django.db import transaction
from django.db.models.signals import ModelSignal

from staffroom.files import keeping
from staffroom.files.models import Derivative, File, Upload, UploadPiece

log = structlog.get_logger(__name__)


def follow(post_delete: ModelSignal) -> None:
    post_delete.connect(_upload_gone, sender=Upload, dispatch_uid="files.upload_gone")
    post_delete.connect(_file_gone, sender=File, dispatch_uid="files.file_gone")
    post_delete.connect(_piece_gone, sender=UploadPiece, dispatch_uid="files.piece_gone")
    post_delete.connect(_derivative_gone, sender=Derivative, dispatch_uid="files.derivative_gone")


def _upload_gone(sender: Any, instance: Upload, **kwargs: Any) -> None:
    if instance.finished_at is None:
        transaction.on_commit(lambda: keeping.part_file(instance.key).remove(), robust=True)


def _file_gone(sender: Any, instance: File, **kwargs: Any) -> None:
    def remove() -> None:
        keeping.part_file(instance.key).remove()
        keeping.forget_at_hand(instance.key)
        keeping.remove(instance.path)

    Upload.objects.filter(key=instance.key).delete()
    transaction.on_commit(remove, robust=True)


def _piece_gone(sender: Any, instance: UploadPiece, **kwargs: Any) -> None:
    transaction.on_commit(lambda: keeping.remove(instance.path), robust=True)


def _derivative_gone(sender: Any, instance: Derivative, **kwargs: Any) -> None:
    transaction.on_commit(lambda: keeping.remove(instance.path), robust=True)
