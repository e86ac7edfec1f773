"""Telling other organizations what was found, taking in what they found, and pooling both."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from staffroom.knowing.impact.actions import evidence as deeds
from staffroom.knowing.impact.models import Estimate, Evidence
from staffroom.knowing.impact.queries import evidence as queries
from staffroom.knowing.studies import bundles
from staffroom.records import actions as records
from staffroom.records.models import Activity
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def answer(sd: float, se: float) -> dict[str, Any]:
    """An answer's JSON, as far as bundles read it."""
    return {
        "estimator": "imputation", "tier": 3, "gates": [{"name": "minimum_cell", "passed": True, "value": 99.0, "limit": 10.0,
                                                         "sentence": {}, "ceiling": 1}],
        "effect": {"sd": sd, "se": se, "low": sd - 2 * se, "high": sd + 2 * se, "p": 0.01, "df": 11.0, "method": "CR1"},
        "n": {"students": 900, "teachers": 40, "schools": 12, "clusters": 12}, "cost": {"known": False},
        "efficiency": {"known": False, "hours_per_teacher": 12.0},
    }  # fmt: skip


@pytest.fixture
def course(cast: Cast) -> Activity:
    return records.make_activity(by=cast.denise, organization=cast.district, name="Exit tickets", kind="course")


@pytest.fixture
def estimate(cast: Cast, course: Activity) -> Estimate:
    test = records.make_instrument(by=cast.denise, organization=cast.district, name="Check", kind="test")
    return Estimate.objects.create(
        organization=cast.district, activity=course, instrument=test, input_sha256="x" * 64,
        result={"answer": answer(0.2, 0.05)},
    )  # fmt: skip


def theirs(sd: float, se: float, name: str, key: Ed25519PrivateKey | None = None) -> bytes:
    bundle = bundles.bundle_of(answer(sd, se), organization=name, activity="Exit tickets", outcome="Check")
    signed = bundles.signed(bundle, key or Ed25519PrivateKey.generate())
    return json.dumps(signed).encode()


def take_in(cast: Cast, course: Activity, content: bytes) -> Evidence:
    return deeds.take_in_bundle(by=cast.denise, activity=course, content=content, name="theirs.json")


def test_three_organizations_say_what_the_next_should_expect(
    cast: Cast, course: Activity, estimate: Estimate, client: Client
) -> None:
    for name, sd in (("Lakeside", 0.15), ("Hillview", 0.3)):
        take_in(cast, course, theirs(sd, 0.06, name))
    found = queries.pooled(course, estimate, list(queries.evidence_about(cast.denise, course)))
    assert found is not None
    assert (found["replicability"]["sites"], found["n"]["teachers"]) == (3, 120)
    assert 0.15 < found["effect"]["sd"] < 0.3
    client.force_login(cast.denise)
    page = client.get(f"/evidence/{course.key}/").content.decode()
    assert "Over 3 organizations" in page
    assert "next organization should expect" in page
    assert page.count("<svg") >= 1
    assert "Lakeside" in page
    assert b"Hillview" in b"".join(client.get(f"/evidence/{course.key}/?format=csv"))


def test_a_bundle_that_was_changed_after_signing_is_refused_and_keeps_nothing(cast: Cast, course: Activity) -> None:
    whole = json.loads(theirs(0.1, 0.05, "Lakeside"))
    whole["effect"]["sd"] = 0.9
    with pytest.raises(ValidationError, match="changed after it was signed"):
        take_in(cast, course, json.dumps(whole).encode())
    assert not Evidence.objects.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"format": "staffroom-evidence-bundle-1"}', b"[" * 100_000, b"x" * 1_100_000,
     json.dumps(bundles.bundle_of(answer(0.1, 0.05))).replace("40", '"many"').encode(),
     json.dumps(bundles.bundle_of(answer(0.1, 0.05))).replace("900", "NaN").encode(),
     json.dumps(bundles.bundle_of(answer(0.1, 0.05), organization="a\x00b")).encode(),
     json.dumps(bundles.bundle_of(answer(0.1, 0.05), organization="\ud800")).encode(),
     json.dumps({**bundles.bundle_of(answer(0.1, 0.05)), "organization": ["x"]}).encode()],
    ids=["empty", "half", "list", "bytes", "bare", "deep", "large", "text for a size", "NaN", "NUL", "half a character",
         "list for a name"],
)  # fmt: skip
def test_what_is_no_bundle_is_refused_in_words(cast: Cast, course: Activity, content: bytes, client: Client) -> None:
    client.force_login(cast.denise)
    sent = {"file": SimpleUploadedFile("theirs.json", content)}
    assert client.post(f"/evidence/{course.key}/take-in/", sent).status_code == 422
    assert not Evidence.objects.exists()


def test_the_same_bundle_twice_is_one_and_ones_own_is_none(cast: Cast, course: Activity, estimate: Estimate) -> None:
    content = theirs(0.1, 0.05, "Lakeside")
    assert take_in(cast, course, content) == take_in(cast, course, content)
    own = deeds.export_bundle(by=cast.denise, estimate=estimate, practice_version="2.1")
    with pytest.raises(ValidationError, match="your own"):
        take_in(cast, course, json.dumps(own).encode())


def test_what_is_handed_on_is_signed_and_names_nobody(
    cast: Cast, course: Activity, estimate: Estimate, client: Client
) -> None:
    client.force_login(cast.denise)
    sent = client.post(f"/evidence/{course.key}/hand-on/", {"estimate": estimate.pk, "practice_version": "2.1"})
    bundle, signer = bundles.parsed(sent.content, "own.json")
    assert signer
    assert bundle["practice_version"] == "2.1"
    assert bundle["effect"]["sd"] == 0.2
    for who in (cast.amara, cast.grace):
        assert who.family_name not in sent.content.decode()
    again = json.loads(client.post(f"/evidence/{course.key}/hand-on/", {"estimate": estimate.pk}).content)
    assert bundles.checked(again, "x")[1] == signer, "one key for an organization"


def test_only_those_who_answer_for_the_district_hand_on(cast: Cast, course: Activity, estimate: Estimate) -> None:
    for stranger in (cast.amara, cast.priya, cast.grace, cast.rafael, cast.vera):
        with pytest.raises(PermissionDenied):
            deeds.export_bundle(by=stranger, estimate=estimate)
    with pytest.raises(PermissionDenied):
        deeds.take_in_bundle(by=cast.vera, activity=course, content=theirs(0.1, 0.1, "x"), name="x")


def test_too_few_people_are_not_told_of(cast: Cast, estimate: Estimate) -> None:
    kept = answer(0.2, 0.05)
    kept["gates"][0]["passed"] = False
    Estimate.objects.filter(pk=estimate.pk).update(result={"answer": kept})
    estimate.refresh_from_db()
    with pytest.raises(ValidationError, match="too few"):
        deeds.export_bundle(by=cast.denise, estimate=estimate)
