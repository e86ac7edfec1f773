"""A site with two sign-in services, walked through once: run by test_outside_sign_in.py in a process of its own.

Which services there are is read when Django starts, so it cannot be changed within a test. Prints what happened as JSON.
The issuer below is as small as OpenID Connect allows; whom it signs in is set by `ISSUER.claims`.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

CERTIFICATE = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA"  # only shown in metadata here, never used to verify
METADATA = """<?xml version="1.0"?>
<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.school.example">
  <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>{}
    </X509Certificate></X509Data></KeyInfo></KeyDescriptor>
    <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.school.example/sso"/>
  </IDPSSODescriptor>
</EntityDescriptor>"""


class Issuer(ThreadingHTTPServer):
    """An OpenID Connect issuer and a SAML metadata page on loopback."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.claims: dict[str, Any] = {}
        self.asked: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

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
            "/token": {"access_token": "token", "token_type": "Bearer", "expires_in": 60},
            "/userinfo": self.server.claims,
        }
        path = urlsplit(self.path).path
        body = METADATA.format(CERTIFICATE).encode() if path == "/saml" else json.dumps(bodies[path]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/xml" if path == "/saml" else "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def main() -> None:
    issuer = Issuer()
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "staffroom.settings",
        "STAFFROOM_DATA": tempfile.mkdtemp(),
        "STAFFROOM_OIDC": f"Riverbend Login|{issuer.address}|client|the-secret",
        "STAFFROOM_SAML": f"Lakeside Login|https://idp.school.example|{issuer.address}/saml",
        "STAFFROOM_DEBUG": "true",
    }
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from staffroom.people.models import Person

    amara = Person.objects.create(email="amara@riverbend.example", given_name="Amara", password="!rostered")
    said = {"sub": "1", "email": amara.email, "email_verified": True, "given_name": "Amara"}
    seen = {
        "verified": sign_in(issuer, said),
        "again with another address": sign_in(issuer, said | {"email": "moved@riverbend.example"}),
        "unverified": sign_in(issuer, said | {"sub": "2", "email_verified": False}),
        "stranger": sign_in(issuer, said | {"sub": "3", "email": "stranger@elsewhere.example"}),
        "forged state": sign_in(issuer, said, state="forged"),
        "persons": Person.objects.count(),
        "amara": amara.pk,
        "saml": saml(),
        "login page": client().get("/accounts/login/").content.decode(),
        "challenge sent": any("code_verifier" in asked for asked in issuer.asked),
    }
    json.dump(seen, sys.stdout)


def client() -> Any:
    from django.test import Client

    return Client(headers={"host": "localhost"})


def sign_in(issuer: Issuer, claims: dict[str, Any], state: str = "") -> dict[str, Any]:
    """Through the issuer and back: as whom, if at all, and what the last page says."""
    issuer.claims = claims
    browser = client()
    leaving = browser.get("/accounts/oidc/riverbend-login/login/")
    asked = parse_qs(urlsplit(leaving["Location"]).query)
    back = {"code": "code", "state": state or asked["state"][0]}
    landed = browser.get("/accounts/oidc/riverbend-login/login/callback/", back, follow=True)
    return {
        "leaves to": leaving["Location"].split("?")[0].removeprefix(issuer.address),
        "has challenge": "code_challenge" in asked,
        "person": int(browser.session["_auth_user_id"]) if "_auth_user_id" in browser.session else None,
        "status": landed.status_code,
        "page": landed.content.decode()[-4000:],
    }


def saml() -> dict[str, Any]:
    browser = client()
    metadata = browser.get("/accounts/saml/lakeside-login/metadata/")
    leaving = browser.get("/accounts/saml/lakeside-login/login/")
    answer = base64.b64encode(b"<Response xmlns='urn:oasis:names:tc:SAML:2.0:protocol'/>").decode()
    forged = browser.post("/accounts/saml/lakeside-login/acs/", {"SAMLResponse": answer}, follow=True)
    return {
        "metadata": metadata.content.decode(),
        "leaves to": leaving.headers.get("Location", ""),
        "forged": "_auth_user_id" in browser.session,
        "forged status": forged.status_code,
    }


if __name__ == "__main__":
    main()
