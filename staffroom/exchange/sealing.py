"""Secrets that have to be shown to others are kept encrypted: who has the database alone, or a backup of it, cannot read them."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


class CannotOpen(ValueError):
    """The signing key is another than that by which this was sealed: the secret has to be typed again."""


def seal(secret: str) -> str:
    return _box().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """The secret. Raises CannotOpen."""
    from cryptography.fernet import InvalidToken

    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise CannotOpen("the secret cannot be read") from error


def _box() -> Fernet:
    from cryptography.fernet import Fernet

    key = hashlib.sha256(f"staffroom.exchange.sealing|{settings.SECRET_KEY}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
