"""Attachments (Data 2.4.11, Communication 1.5) and signed statements (Data 2.6)."""

from __future__ import annotations

import base64
import email
import hashlib
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.exchange.knocking import DID, ToolAtTheDoor, agent, rows_held, statement

pytestmark = pytest.mark.django_db
SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
PLAN = bytes(range(256)) + b"\r\n--xx\r\n--"


def attachment(content: bytes, *, by: str = "sha256", **changes: Any) -> dict[str, Any]:
    return {
        "usageType": "https://vendor.example/plan", "display": {"en": "Plan"}, "contentType": "text/plain", "length": len(content),
        "sha2": hashlib.new(by, content).hexdigest(), **changes,
    }  # fmt: skip


def packed(statements: Any, *contents: bytes, by: str = "sha256") -> bytes:
    pieces = [b"--bound\r\nContent-Type: application/json\r\n\r\n", json.dumps(statements).encode(), b"\r\n"]
    for each in contents:
        hashed = hashlib.new(by, each).hexdigest().encode()
        pieces += [
            b"--bound\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: ",
            hashed,
            b"\r\n\r\n",
            each,
            b"\r\n",
        ]
    return b"".join([*pieces, b"--bound--\r\n"])


def send(tool: ToolAtTheDoor, statements: Any, *contents: bytes, by: str = "sha256") -> Any:
    return tool.ask(
        "POST", "statements", packed(statements, *contents, by=by), content_type='multipart/mixed; boundary="bound"'
    )


def parts_of(answer: Any) -> list[tuple[dict[str, str], bytes]]:
    """The parts of an answer, as Python's own reader of mail sees them."""
    whole = email.message_from_bytes(b"Content-Type: " + answer["Content-Type"].encode() + b"\r\n\r\n" + answer.content)
    assert whole.get_content_type() == "multipart/mixed"
    return [(dict(each.items()), each.get_payload(decode=True)) for each in whole.get_payload()]


@pytest.mark.parametrize("by", ["sha224", "sha256", "sha384", "sha512"])
def test_bytes_come_back_with_their_statement(either: ToolAtTheDoor, by: str) -> None:
    one = statement(attachments=[attachment(PLAN, by=by)])
    assert send(either, one, PLAN, by=by).status_code == 200
    for query in ({"statementId": one["id"]}, {"verb": DID}):
        answer = either.get(**query, attachments="true")
        assert PLAN in answer.content
        (first, told), (headers, _content) = parts_of(answer)
        assert first["Content-Type"] == "application/json"
        assert one["id"] in told.decode()
        assert headers["X-Experience-API-Hash"] == one["attachments"][0]["sha2"]
        assert (headers["Content-Type"], headers["Content-Transfer-Encoding"]) == ("text/plain", "binary")
        assert either.get(**query)["Content-Type"] == "application/json"


def test_bytes_are_kept_once_and_given_once(either: ToolAtTheDoor) -> None:
    one, two = (statement(attachments=[attachment(b"same")]) for _each in range(2))
    assert send(either, [one, two], b"same").status_code == 200
    again = statement(attachments=[attachment(b"same"), attachment(b"other")])
    assert send(either, again, b"same", b"other").status_code == 200
    assert [content for _headers, content in parts_of(either.get(attachments="true", verb=DID))[1:]].count(b"same") == 1


def test_a_statement_may_tell_where_its_bytes_are(either: ToolAtTheDoor) -> None:
    """The address is never fetched."""
    one = statement(attachments=[attachment(b"x", fileUrl="http://127.0.0.1:9/plan")])
    either.post(one)
    assert len(parts_of(either.get(statementId=one["id"], attachments="true"))) == 1


def test_a_sub_statement_has_attachments_too(either: ToolAtTheDoor) -> None:
    sub = {
        "objectType": "SubStatement",
        "actor": agent(),
        "verb": {"id": DID},
        "object": {"id": DID},
        "attachments": [attachment(b"in")],
    }
    assert either.ask("POST", "statements", statement(object=sub)).status_code == 400
    one = statement(object=sub)
    assert send(either, one, b"in").status_code == 200
    assert len(parts_of(either.get(statementId=one["id"], attachments="true"))) == 2


def test_bytes_that_are_missing_or_too_many_refuse_all(either: ToolAtTheDoor) -> None:
    before = rows_held()
    listed = statement(attachments=[attachment(b"x"), attachment(b"y")])
    for answer in (
        either.ask("POST", "statements", listed), send(either, listed, b"x"), send(either, [statement(), listed], b"x"),
        send(either, listed, b"x", b"y", b"z"), send(either, statement(), b"x"),
    ):  # fmt: skip
        assert answer.status_code == 400
    assert rows_held() == before


# --- Signatures ------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(of: rsa.RSAPrivateKey) -> str:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "vendor.example")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(of.public_key()).serial_number(1)
    signed = made.not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(of, hashes.SHA256())
    return base64.b64encode(signed.public_bytes(serialization.Encoding.DER)).decode()


def signed(body: dict[str, Any], content: bytes, **changes: Any) -> dict[str, Any]:
    marks = {"usageType": SIGNATURE, "contentType": "application/octet-stream", **changes}
    return {**body, "attachments": [attachment(content, **marks)]}


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
@pytest.mark.parametrize("with_certificate", [True, False])
def test_a_signed_statement_is_taken(
    tool: ToolAtTheDoor, key: rsa.RSAPrivateKey, algorithm: str, with_certificate: bool
) -> None:
    body = statement()
    content = jwt.encode(
        body, key, algorithm, headers={"x5c": [certificate(key)]} if with_certificate else None
    ).encode()
    assert send(tool, signed(body, content), content).status_code == 200
    assert content in tool.get(statementId=body["id"], attachments="true").content


def test_signatures_that_are_none_are_refused(either: ToolAtTheDoor, key: rsa.RSAPrivateKey) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    body, before = statement(), rows_held()
    good = jwt.encode(body, key, "RS256")
    bad = [
        b"", b"x", b"x.y.z", b"{}.{}.{}", good.rpartition(".")[0].encode(), good.encode() + b".x",
        jwt.encode(body, "secret" * 10, "HS256").encode(), jwt.encode(body, None, "none").encode(),
        jwt.encode({**body, "verb": {"id": f"{DID}/not"}}, key, "RS256").encode(), jwt.encode({"id": 1}, key, "RS256").encode(),
        jwt.encode(body, key, "RS256", headers={"x5c": [certificate(other)]}).encode(),
        *(jwt.encode(body, key, "RS256", headers={"x5c": chain}).encode() for chain in (["x"], [1], {"a": 1}, "x", [[]], [""])),
    ]  # fmt: skip
    for content in bad:
        answer = send(either, signed(body, content), content)
        assert answer.status_code == 400, content
        assert "2.6" in answer.json()["detail"]
    content = good.encode()
    assert send(either, signed(body, content, contentType="text/plain"), content).status_code == 400
    assert either.ask("POST", "statements", signed(body, content, fileUrl="https://v.example/s")).status_code == 400
    assert rows_held() == before
