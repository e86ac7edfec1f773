"""A district's SAML service for tests, with keys of its own: answers that are right, and every way of being wrong.

Assertions are signed with the library that the site verifies them with (python3-saml on xmlsec).
"""

from __future__ import annotations

import base64
import copy
import datetime
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Constants
from onelogin.saml2.utils import OneLogin_Saml2_Utils as Saml

ENTITY = "https://idp.school.example"
MAIL = "urn:oid:0.9.2342.19200300.100.1.3"
NS = {
    "p": "urn:oasis:names:tc:SAML:2.0:protocol",
    "a": "urn:oasis:names:tc:SAML:2.0:assertion",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
METADATA = """<?xml version="1.0"?>
<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity}">
  <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>{certificate}
    </X509Certificate></X509Data></KeyInfo></KeyDescriptor>
    <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{entity}/sso"/>
  </IDPSSODescriptor>
</EntityDescriptor>"""
ASSERTION = """<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{id}" Version="2.0" IssueInstant="{now}">
  <saml:Issuer>{issuer}</saml:Issuer>
  <saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">{subject}</saml:NameID>
    <saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
      <saml:SubjectConfirmationData{in_response_to} Recipient="{recipient}" NotOnOrAfter="{until}"/>
    </saml:SubjectConfirmation></saml:Subject>
  <saml:Conditions NotBefore="{since}" NotOnOrAfter="{until}">
    <saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>
  <saml:AuthnStatement AuthnInstant="{now}" SessionIndex="s1"><saml:AuthnContext>
    <saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>
  </saml:AuthnContext></saml:AuthnStatement>
  <saml:AttributeStatement><saml:Attribute Name="{mail}"><saml:AttributeValue>{email}</saml:AttributeValue></saml:Attribute>
  </saml:AttributeStatement>
</saml:Assertion>"""
RESPONSE = """<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="{id}" Version="2.0" IssueInstant="{now}"
  Destination="{destination}"{in_response_to}><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">{issuer}</saml:Issuer>
  <samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status></samlp:Response>"""


class Signer:
    """A key and its certificate."""

    def __init__(self) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.school.example")])
        today = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
            .not_valid_before(today - datetime.timedelta(days=1)).not_valid_after(today + datetime.timedelta(days=9))
            .sign(key, hashes.SHA256())
        )  # fmt: skip
        form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        self.key = key.private_bytes(serialization.Encoding.PEM, *form).decode()
        self.certificate = made.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def bare(self) -> str:
        return "".join(self.certificate.splitlines()[1:-1])

    def sign(self, element: Any, algorithm: str = Constants.RSA_SHA256, digest: str = Constants.SHA256) -> Any:
        return etree.fromstring(
            Saml.add_sign(etree.tostring(element), self.key, self.certificate, False, algorithm, digest)
        )


OURS, FOREIGN = Signer(), Signer()


@dataclass
class Answer:
    """What the service says of whom; `told` and `change` make it wrong."""

    site: str
    request: str
    email: str = "amara@riverbend.example"
    subject: str = "amara-1"
    told: dict[str, str] = field(default_factory=dict)
    since_s: int = -60
    until_s: int = 300

    def values(self, key: str) -> dict[str, str]:
        acs = f"{self.site}/accounts/saml/lakeside-login/acs/"
        asked = f' InResponseTo="{self.request}"' if self.request else ""
        values = {
            "id": key, "now": moment(0), "since": moment(self.since_s), "until": moment(self.until_s), "issuer": ENTITY,
            "recipient": acs, "destination": acs, "audience": f"{self.site}/accounts/saml/lakeside-login/metadata/",
            "mail": MAIL, "email": self.email, "subject": self.subject, "in_response_to": asked,
        }  # fmt: skip
        return values | self.told

    def assertion(self, key: str = "_assertion") -> Any:
        return etree.fromstring(ASSERTION.format(**self.values(key)))

    def response(self, *assertions: Any) -> Any:
        whole = etree.fromstring(RESPONSE.format(**self.values("_response")))
        whole.extend(assertions)
        return whole

    def signed(self) -> Any:
        return self.response(OURS.sign(self.assertion()))

    def forged(self, key: str = "_forged") -> Any:
        """An assertion that nobody signed, of somebody else."""
        return Answer(self.site, self.request, "denise@riverbend.example", "denise-1").assertion(key)


def metadata() -> bytes:
    return METADATA.format(entity=ENTITY, certificate=OURS.bare).encode()


def moment(seconds: int) -> str:
    return f"{datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def encoded(whole: Any) -> str:
    return base64.b64encode(whole if isinstance(whole, bytes) else etree.tostring(whole)).decode()


def tampered(answer: Answer) -> Any:
    whole = answer.signed()
    whole.find(".//a:AttributeValue", NS).text = "denise@riverbend.example"
    return whole


def without_signature(answer: Answer) -> Any:
    whole = answer.signed()
    signature = whole.find(".//ds:Signature", NS)
    signature.getparent().remove(signature)
    return whole


def with_empty_signature(answer: Answer) -> Any:
    whole = answer.signed()
    whole.find(".//ds:SignatureValue", NS).text = ""
    return whole


def wrapped_beside(answer: Answer, *, is_first: bool, key: str = "_forged") -> Any:
    """The signed assertion and a forged one, side by side."""
    pair = [answer.forged(key), OURS.sign(answer.assertion())]
    return answer.response(*(pair if is_first else reversed(pair)))


def wrapped_in_extensions(answer: Answer) -> Any:
    whole = answer.response(answer.forged())
    extensions = etree.SubElement(whole, f"{{{NS['p']}}}Extensions")
    extensions.append(OURS.sign(answer.assertion()))
    return whole


def wrapped_inside(answer: Answer) -> Any:
    """The signed assertion lies within the forged one."""
    outer = answer.forged()
    outer.append(OURS.sign(answer.assertion()))
    return answer.response(outer)


def wrapped_in_signature(answer: Answer, key: str = "_forged") -> Any:
    """The forged assertion carries the signature, and within it the assertion that was signed."""
    inner = OURS.sign(answer.assertion())
    signature = inner.find("ds:Signature", NS)
    inner.remove(signature)
    etree.SubElement(signature, f"{{{NS['ds']}}}Object").append(copy.deepcopy(inner))
    outer = answer.forged(key)
    outer.insert(1, signature)
    return answer.response(outer)


def wrapped_response(answer: Answer) -> Any:
    """A signed response within a forged one."""
    signed = OURS.sign(answer.signed())
    outer = answer.response(answer.forged())
    etree.SubElement(outer, f"{{{NS['p']}}}Extensions").append(signed)
    return outer


def with_entity(answer: Answer) -> bytes:
    text = etree.tostring(answer.signed())
    return b'<!DOCTYPE r [<!ENTITY who "denise@riverbend.example">]>' + text.replace(
        b"amara@riverbend.example", b"&who;"
    )


def with_comment(answer: Answer) -> bytes:
    """Signed for an address that only begins like somebody's; a comment, which no signature covers, cuts it there."""
    answer.email, answer.subject = "amara@riverbend.example.evil.example", "evil-1"
    text = etree.tostring(answer.signed())
    return text.replace(b"amara@riverbend.example.evil", b"amara@riverbend.example<!-- -->.evil")


def with_comment_in_name(answer: Answer) -> bytes:
    """The same with the identifier by which the service knows somebody."""
    answer.email, answer.subject = "evil@elsewhere.example", "amara-1.evil"
    return etree.tostring(answer.signed()).replace(b"amara-1.evil", b"amara-1<!-- -->.evil")


def told(answer: Answer, **values: str) -> Any:
    answer.told = values
    return answer.signed()


def at(answer: Answer, since_s: int, until_s: int) -> Any:
    answer.since_s, answer.until_s = since_s, until_s
    return answer.signed()


def unasked(answer: Answer) -> Any:
    answer.request = ""
    return answer.signed()


def of(answer: Answer, email: str) -> Any:
    answer.email, answer.subject = email, "somebody"
    return answer.signed()


# How an answer is wrong, what makes it so, and for what reason the site must have refused it (as its log says).
WRONG: dict[str, tuple[Any, str]] = {
    "signed with another key": (lambda it: it.response(FOREIGN.sign(it.assertion())), "Signature validation failed"),
    "changed after signing": (tampered, "Signature validation failed"),
    "not signed": (without_signature, "not signed|No Signature found"),
    "signed with nothing": (with_empty_signature, "Signature validation failed|Signature"),
    "only the envelope is signed": (
        lambda it: OURS.sign(it.response(it.assertion())), "Assertion of the Response is not signed"
    ),
    "signed with SHA-1": (
        lambda it: it.response(OURS.sign(it.assertion(), Constants.RSA_SHA1, Constants.SHA1)), "[Dd]eprecated"
    ),
    "for another audience": (lambda it: told(it, audience="https://elsewhere.example"), "not a valid audience"),
    "for no audience": (lambda it: told(it, audience=""), "saml_answer_without_audience"),
    "by another issuer": (lambda it: told(it, issuer="https://elsewhere.example"), "Invalid issuer"),
    "to another door": (lambda it: told(it, destination="https://elsewhere.example/acs"), "instead of"),
    "confirmed for another door": (lambda it: told(it, recipient="https://elsewhere.example/acs"), "SubjectConfirmation"),
    "expired": (lambda it: at(it, -7200, -3600), "expired|SubjectConfirmation"),
    "of the future": (lambda it: at(it, 3600, 7200), "not yet valid"),
    "unasked": (unasked, "IdP initiated"),
    "a forged assertion before the signed one": (lambda it: wrapped_beside(it, is_first=True), "exactly 1 Assertion|must contain 1"),
    "a forged assertion after the signed one": (lambda it: wrapped_beside(it, is_first=False), "must contain 1"),
    "two assertions of one name": (lambda it: wrapped_beside(it, is_first=True, key="_assertion"), "must contain 1|Duplicated ID"),
    "the signed one in the extensions": (wrapped_in_extensions, "must contain 1"),
    "the signed one within the forged one": (wrapped_inside, "must contain 1"),
    "the signed one within its signature": (wrapped_in_signature, "must contain 1|unexpected|Invalid Signature"),
    "the signed one within its signature, of the same name": (
        lambda it: wrapped_in_signature(it, "_assertion"), "must contain 1|Duplicated ID|Invalid Signature"
    ),
    "a signed response within a forged one": (wrapped_response, "must contain 1"),
    "with an entity": (with_entity, "DTDForbidden"),
}  # fmt: skip
JUNK: dict[str, bytes | None] = {
    "nothing": None, "no words": b"", "no XML": b"hello", "half of one": b"<Response", "other XML": b"<html/>",
    "zeros": bytes(2000), "deep": b"<a>" * 5000, "no text": bytes(range(256)),
}  # fmt: skip
