"""Signed statements (Data 2.6): a statement may bring a JSON web signature of itself as an attachment.

The signature must be a JWS (RFC 7515) by RS256, RS384 or RS512 whose payload says the same as the statement; when it brings the
certificate of its key (`x5c`), it must have been made with it.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from staffroom.exchange import comparing, strict
from staffroom.exchange.refusals import Refusal

USAGE = "http://adlnet.gov/expapi/attachments/signature"
MEDIA_TYPE = "application/octet-stream"
ALGORITHMS = ("RS256", "RS384", "RS512")


def check(statement: dict[str, Any], content: bytes) -> None:
    """Refuse a signature that is none, or one of something else."""
    header, payload = _read(content)
    if header.get("alg") not in ALGORITHMS:
        raise Refusal(400, f"A signature must be made by one of {', '.join(ALGORITHMS)} (2.6).")
    if chain := header.get("x5c"):
        _verify(content, header["alg"], chain)
    if not isinstance(payload, dict) or not _is_of(statement, payload):
        raise Refusal(400, "The signature is of another statement (2.6).")


def _is_of(statement: dict[str, Any], signed: dict[str, Any]) -> bool:
    try:
        return comparing.says_the_same({**signed}, statement)
    except (KeyError, TypeError, AttributeError):
        return False


def _read(content: bytes) -> tuple[dict[str, Any], Any]:
    pieces = content.strip().split(b".")
    if len(pieces) != 3:
        raise Refusal(400, "A signature must be a JSON web signature in compact form (2.6).")
    try:
        header, payload = (strict.read(base64.urlsafe_b64decode(each + b"=" * (-len(each) % 4))) for each in pieces[:2])
    except (strict.NotJson, binascii.Error, ValueError):
        raise Refusal(400, "The header and the payload of a signature must be JSON (2.6).") from None
    if not isinstance(header, dict):
        raise Refusal(400, "The header of a signature must be an object (2.6).")
    return header, payload


def _verify(content: bytes, algorithm: str, chain: Any) -> None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.x509 import load_der_x509_certificate
    from jwt.api_jws import PyJWS
    from jwt.exceptions import PyJWTError

    try:
        certificate = load_der_x509_certificate(base64.b64decode(chain[0]))
        key: Any = certificate.public_key()
        PyJWS().decode(content.strip(), key, algorithms=[algorithm])
    except (PyJWTError, UnsupportedAlgorithm, ValueError, TypeError, KeyError, IndexError):
        raise Refusal(400, "The signature was not made with the key of its certificate (2.6).") from None
