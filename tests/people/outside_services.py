"""A site with two sign-in services, walked through once: run by test_outside_sign_in.py in a process of its own.

Which services there are is read when Django starts, so it cannot be changed within a test. Prints what happened as JSON.
The issuer below is as small as OpenID Connect allows; whom it signs in is set by `ISSUER.claims`.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zlib import decompress

import jwt
from lxml import etree

from tests.people import saml_service


class Issuer(ThreadingHTTPServer):
    """An OpenID Connect issuer and a SAML metadata page on loopback."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.claims: dict[str, Any] = {}
        self.id_token: dict[str, Any] = {}
        self.asked: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def signed_claims(self) -> dict[str, str]:
        """The ID token, where this issuer gives one."""
        if not self.id_token:
            return {}
        now = int(time.time())
        right = {"iss": self.address, "aud": "client", "iat": now, "exp": now + 60, **self.claims}
        return {"id_token": jwt.encode(right | self.id_token, saml_service.OURS.key, algorithm="RS256")}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    server: Issuer

    def do_GET(self) -> None:
        self.answer(b"")

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def answer(self, sent: bytes) -> None:
        self.server.asked.append(f"{self.path} {sent.decode()}")
        here = self.server.address
        endpoints = {
            "issuer": here, "authorization_endpoint": f"{here}/authorize", "token_endpoint": f"{here}/token",
            "userinfo_endpoint": f"{here}/userinfo", "jwks_uri": f"{here}/jwks",
        }  # fmt: skip
        bodies: dict[str, Any] = {
            "/.well-known/openid-configuration": endpoints,
            "/token": {"access_token": "token", "token_type": "Bearer", "expires_in": 60} | self.server.signed_claims(),
            "/userinfo": self.server.claims,
        }
        path = urlsplit(self.path).path
        body = saml_service.metadata() if path == "/saml" else json.dumps(bodies[path]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/xml" if path == "/saml" else "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


ID_TOKENS: dict[str, dict[str, Any]] = {
    "right": {"nonce": "any"},
    "for another client": {"aud": "another"},
    "by another issuer": {"iss": "https://elsewhere.example"},
    "expired": {"exp": 1_700_000_000},
}


def main() -> None:
    issuer = Issuer()
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "staffroom.settings",
        "STAFFROOM_OIDC": f"Riverbend Login|{issuer.address}|client|the-secret",
        "STAFFROOM_SAML": f"Lakeside Login|https://idp.school.example|{issuer.address}/saml",
        "STAFFROOM_DEBUG": "true",
    }
    import django

    django.setup()
    from staffroom.cli import preparing

    preparing.make_at_once()
    from staffroom.people.models import Person

    Person.objects.create(email="denise@riverbend.example", given_name="Denise", password="!rostered")
    amara = Person.objects.create(email="amara@riverbend.example", given_name="Amara", password="!rostered")
    said = {"sub": "1", "email": amara.email, "email_verified": True, "given_name": "Amara"}
    seen = {
        "verified": sign_in(issuer, said),
        "again with another address": sign_in(issuer, said | {"email": "moved@riverbend.example"}),
        "unverified": sign_in(issuer, said | {"sub": "2", "email_verified": False}),
        "stranger": sign_in(issuer, said | {"sub": "3", "email": "stranger@elsewhere.example"}),
        "id tokens": {name: sign_in(issuer, said, id_token=told) for name, told in ID_TOKENS.items()},
        "forged state": sign_in(issuer, said, state="forged"),
        "saml": saml(),
        "persons": Person.objects.count(),
        "amara": amara.pk,
        "login page": client().get("/accounts/login/").content.decode(),
        "challenge sent": any("code_verifier" in asked for asked in issuer.asked),
    }
    json.dump(seen, sys.stdout)


def client() -> Any:
    from django.test import Client

    return Client(headers={"host": "localhost"})


def sign_in(
    issuer: Issuer, claims: dict[str, Any], state: str = "", id_token: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Through the issuer and back: as whom, if at all, and what the last page says."""
    issuer.claims, issuer.id_token = claims, id_token or {}
    browser = client()
    leaving = browser.get("/accounts/oidc/riverbend-login/login/")
    asked = parse_qs(urlsplit(leaving["Location"]).query)
    back = {"code": "code", "state": state or asked["state"][0]}
    landed = browser.get("/accounts/oidc/riverbend-login/login/callback/", back, follow=True)
    person = browser.session.get("_auth_user_id")
    browser.logout()
    browser.get("/accounts/oidc/riverbend-login/login/callback/", back, follow=True)
    return {
        "replayed": "_auth_user_id" in browser.session,
        "leaves to": leaving["Location"].split("?")[0].removeprefix(issuer.address),
        "has challenge": "code_challenge" in asked,
        "person": person and int(person),
        "status": landed.status_code,
        "page": landed.content.decode()[-4000:],
    }


class Listening(logging.Handler):
    """What the site's log says of a refusal: its reason."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        logging.getLogger().addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(str(record.msg) if isinstance(record.msg, dict) else record.getMessage())


class Visit:
    """A browser that has asked to be signed in by SAML."""

    def __init__(self) -> None:
        self.browser = client()
        self.leaving = self.browser.get("/accounts/saml/lakeside-login/login/").headers.get("Location", "")
        sent = base64.b64decode(parse_qs(urlsplit(self.leaving).query)["SAMLRequest"][0])
        request = etree.fromstring(decompress(sent, -15))
        self.answer = saml_service.Answer("http://localhost", request.get("ID"))

    def bring(self, whole: Any, listening: Listening) -> dict[str, Any]:
        """Bring an answer back to the site: as whom it signs in, if at all, and what is said."""
        listening.said.clear()
        sent = {} if whole is None else {"SAMLResponse": saml_service.encoded(whole)}
        landed = self.browser.post("/accounts/saml/lakeside-login/acs/", sent, follow=True)
        person = self.browser.session.get("_auth_user_id")
        return {
            "person": person and int(person),
            "status": landed.status_code,
            "said": "; ".join(listening.said),
            "page": landed.content.decode()[-3000:],
        }


def saml() -> dict[str, Any]:
    listening = Listening()
    visit = Visit()
    right = visit.answer.signed()
    first = visit.bring(right, listening)
    visit.browser.logout()
    other = Visit()
    wrong = {}
    for name, (make, _reason) in saml_service.WRONG.items():
        it = Visit()
        wrong[name] = it.bring(make(it.answer), listening)
    cut, cut_name, stranger, nameless = Visit(), Visit(), Visit(), Visit()
    return {
        "metadata": visit.browser.get("/accounts/saml/lakeside-login/metadata/").content.decode(),
        "leaves to": visit.leaving,
        "right": first,
        "replayed": visit.bring(right, listening),
        "replayed elsewhere": other.bring(right, listening),
        "again": (lambda it: it.bring(it.answer.signed(), listening))(Visit()),
        "wrong": wrong,
        "cut by a comment": cut.bring(saml_service.with_comment(cut.answer), listening),
        "name cut by a comment": cut_name.bring(saml_service.with_comment_in_name(cut_name.answer), listening),
        "stranger": stranger.bring(saml_service.of(stranger.answer, "stranger@elsewhere.example"), listening),
        "without address": nameless.bring(saml_service.of(nameless.answer, ""), listening),
        "junk": {name: Visit().bring(sent, listening) for name, sent in saml_service.JUNK.items()},
    }


if __name__ == "__main__":
    main()
