"""Evidence bundles: what one organization may tell others of a study, in one signed JSON file, and many of them pooled.

A bundle holds the effect with its error, sizes, checks, costs, a hash of the protocol, and the version of the practice; no row, no
name of a person or a school. It is refused where too few students or teachers stand behind the effect.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from staffroom import __version__
from staffroom.knowing.studies import Refused, telling
from staffroom.knowing.studies.questions import Inquiry
from staffroom.knowing.studies.running import Found

FORMAT = "staffroom-evidence-bundle-1"
LARGEST = 1_000_000
LONGEST = 300
EFFECT = ("sd", "se", "low", "high", "p", "df", "method")
FACTS = ("organization", "activity", "outcome", "practice_version", "protocol_hash", "input_hash")
SIZES = ("students", "teachers", "schools", "clusters")
COST = ("known", "per_teacher_usd_cents", "per_student_usd_cents", "marginal_teacher_usd_cents", "price_year")


def protocol_hash(inquiry: Inquiry) -> str:
    """SHA-256 of what was asked and how, apart from files, names and seeds: alike for organizations that ask alike."""
    asked = inquiry.asked
    study = {
        name: asked.study[name] for name in ("outcome", "smallest_effect", "higher_is_better") if name in asked.study
    }
    estimate = {name: value for name, value in asked.estimate.items() if name not in ("seed", "engine")}
    return _hash(
        {"roles": sorted(asked.columns), "covariates": len(asked.covariates), "study": study, "estimate": estimate}
    )


def bundle_of(answer: Mapping[str, Any], **facts: Any) -> dict[str, Any]:
    """The unsigned bundle of an answer's JSON. `facts`: organization, activity, outcome, protocol_hash, practice_version,
    input_hash. Refused where the effect has no error or too few stand behind it."""
    effect, n = answer["effect"], answer["n"]
    if effect["sd"] is None or effect["se"] is None:
        raise Refused("there is no effect with an error that could be told to others")
    if any(gate["name"] == "minimum_cell" and not gate["passed"] for gate in answer["gates"]):
        raise Refused("too few students or teachers stand behind the effect to tell it to others")
    hours = answer["efficiency"].get("hours_per_teacher")
    return {
        "format": FORMAT,
        "staffroom": __version__,
        **{name: facts.get(name, "") for name in FACTS},
        "estimator": answer["estimator"],
        "effect": {name: effect.get(name) for name in EFFECT},
        "n": {name: n[name] for name in SIZES if n[name] is not None},
        "tier": answer["tier"],
        "gates": [{name: gate[name] for name in ("name", "passed", "value", "limit", "ceiling")} for gate in answer["gates"]],
        "cost": {name: answer["cost"].get(name) for name in COST},
        "hours_per_teacher": hours,
    }  # fmt: skip


def write(found: Found, path: Path, *, key: str | None = None) -> list[str]:
    """The bundle of a study with one answer, into a new file. Returns what to mind. Raises Refused."""
    if len(found.answers) > 1:
        raise Refused("a bundle is about one activity; choose it under [study] activity")
    ((activity, answer),) = found.answers.items()
    study = found.inquiry.asked.study
    bundle = bundle_of(
        telling.plain(answer, found.inquiry), organization=study.get("organization", ""), activity=activity,
        outcome=study.get("outcome") or found.inquiry.asked.columns.get("score", ""),
        practice_version=study.get("practice_version", ""), protocol_hash=protocol_hash(found.inquiry), input_hash=found.inquiry.digest,
    )  # fmt: skip
    minded = []
    if key is None:
        minded.append("The bundle is not signed (--key FILE signs it): others cannot tell whether it was changed.")
    else:
        bundle = signed(bundle, private_key(Path(key)))
    try:
        with path.open("x", encoding="utf-8") as opened:
            opened.write(json.dumps(bundle, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    except FileExistsError:
        raise Refused(f"{path} exists already; nothing was changed") from None
    except OSError as error:
        raise Refused(f"{path}: {error.strerror or error}") from None
    return minded


def private_key(path: Path) -> Any:
    """The Ed25519 key in a PEM file, made there (readable by its owner alone) if there is none."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        if not path.exists():
            made = Ed25519PrivateKey.generate()
            pem = made.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            path.touch(mode=0o600, exist_ok=False)
            path.write_bytes(pem)
            return made
        if not path.is_file() or path.stat().st_size > LARGEST:
            raise Refused(f"{path} is not a key")
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror or error}") from None
    except (ValueError, TypeError):
        raise Refused(f"{path.name} is not a private key in PEM without a password") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Refused(f"{path.name} is not an Ed25519 key")
    return key


def signed(bundle: Mapping[str, Any], key: Any) -> dict[str, Any]:
    """The bundle with a signature over everything else in it."""
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    whole = {name: value for name, value in bundle.items() if name != "signature"}
    value = base64.b64encode(key.sign(canonical(whole))).decode()
    return {**whole, "signature": {"algorithm": "Ed25519", "public_key": public, "value": value}}


def read(path: Path) -> tuple[dict[str, Any], str]:
    """A bundle and who signed it (the fingerprint of the key; "" if nobody). Refused if it was changed or is no bundle."""
    try:
        if path.is_dir():
            raise Refused(f"{path} is a folder; name the bundles in it")
        if path.exists() and not path.is_file():
            raise Refused(f"{path} is not a file")
        if path.stat().st_size > LARGEST:
            raise Refused(f"{path.name} is too large for an evidence bundle")
        content = path.read_bytes()
    except OSError as error:
        raise Refused(f"{path}: {error.strerror or error}") from None
    return parsed(content, path.name)


def parsed(content: bytes, name: str) -> tuple[dict[str, Any], str]:
    """As `read`, from the bytes of a file."""
    try:
        bundle = json.loads(content.decode("utf-8-sig"), parse_constant=_no_number)
        canonical(bundle)
    except (ValueError, RecursionError):
        raise Refused(f"{name} is not JSON") from None
    if "\\u0000" in json.dumps(bundle):
        raise Refused(f"{name} holds a character that no text has")
    return checked(bundle, name)


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def checked(bundle: Any, name: str) -> tuple[dict[str, Any], str]:
    """As `read`, for what came another way."""
    if not isinstance(bundle, dict) or bundle.get("format") != FORMAT:
        raise Refused(f"{name} is not an evidence bundle of this version")
    effect = bundle.get("effect")
    if (
        not isinstance(effect, dict)
        or not _finite(effect.get("sd"))
        or not _finite(effect.get("se"))
        or effect["se"] <= 0
    ):
        raise Refused(f"{name} has no effect with an error above 0")
    if not isinstance(bundle.get("n"), dict) or not isinstance(bundle.get("gates"), list):
        raise Refused(f"{name} lacks its sizes or its checks")
    if any(not _counted(bundle["n"].get(each, 0)) for each in SIZES):
        raise Refused(f"{name} has sizes that are no whole numbers of at least 0")
    if any(not isinstance(bundle.get(each, ""), str) or len(bundle.get(each, "")) > LONGEST for each in FACTS):
        raise Refused(f"{name} has names that are no text of at most {LONGEST} letters")
    return bundle, _signer(bundle, name)


def _counted(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and abs(value) < 1e6


def _signer(bundle: Mapping[str, Any], name: str) -> str:
    signature = bundle.get("signature")
    if signature is None:
        return ""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        public = base64.b64decode(signature["public_key"], validate=True)
        value = base64.b64decode(signature["value"], validate=True)
        whole = {key: one for key, one in bundle.items() if key != "signature"}
        Ed25519PublicKey.from_public_bytes(public).verify(value, canonical(whole))
    except (InvalidSignature, KeyError, TypeError, ValueError):
        raise Refused(f"{name} was changed after it was signed, or its signature is broken") from None
    return hashlib.sha256(public).hexdigest()[:16]


def canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _hash(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


def pooled(paths: Sequence[Path]) -> dict[str, Any]:
    """Several bundles as one result. Raises Refused."""
    return pool([(*read(path), path.name) for path in paths])


def pool(bundles: Sequence[tuple[Mapping[str, Any], str, str]]) -> dict[str, Any]:
    """From bundles with their signers and names. Refused for fewer than two, or the same evidence twice."""
    from staffroom.measure.pooling import pool as pool_effects

    if len(bundles) < 2:
        raise Refused("pooling needs at least two bundles")
    seen: dict[str, str] = {}
    for bundle, _, name in bundles:
        evidence = _hash({key: bundle["effect"].get(key) for key in ("sd", "se")})
        if evidence in seen:
            raise Refused(f"{name} and {seen[evidence]} are the same evidence")
        seen[evidence] = name
    names = [str(bundle.get("organization") or name) for bundle, _, name in bundles]
    effects = [float(bundle["effect"]["sd"]) for bundle, _, _ in bundles]
    errors = [float(bundle["effect"]["se"]) for bundle, _, _ in bundles]
    found = pool_effects(effects, errors, labels=names)
    plain = telling._plain(found)
    lines = [
        {
            "name": name, "file": file, "signed_by": signer or None, "sd": effect, "se": error, "weight": weight, "shrunken": shrunken,
            "leave_one_out": without, "n": dict(bundle["n"]), "tier": bundle.get("tier"), "estimator": bundle.get("estimator"),
            "practice_version": bundle.get("practice_version"),
        }
        for (bundle, signer, file), name, effect, error, weight, shrunken, without in zip(
            bundles, names, effects, errors, plain["weights"], plain["shrunken"], plain["leave_one_out"], strict=True
        )
    ]  # fmt: skip
    return {
        "format": "staffroom-pooled-1",
        "staffroom": __version__,
        "effect": {"sd": plain["effect"], "se": plain["standard_error"], "low": plain["low"], "high": plain["high"], "p": plain["p"],
                   "df": plain["df"], "method": plain["method"]},
        "replicability": {
            "known": len(bundles) >= 3, "sites": len(bundles), "tau": plain["tau2"] ** 0.5, "tau_low": plain["tau_low"],
            "tau_high": plain["tau_high"], "i2": plain["i2"], "q": plain["q"], "q_p": plain["q_p"],
            "prediction_low": plain["cautious_low"], "prediction_high": plain["cautious_high"],
            "probability_positive": plain["cautious_positive"],
        },
        "n": {key: sum(int(bundle["n"].get(key) or 0) for bundle, _, _ in bundles) for key in SIZES},
        "bundles": lines,
        "warnings": _minded(bundles),
    }  # fmt: skip


def _minded(bundles: Sequence[tuple[Mapping[str, Any], str, str]]) -> list[str]:
    """What makes these bundles less alike than pooling takes them to be."""
    found = [f"{name} is not signed." for _, signer, name in bundles if not signer]
    for key, what in (
        ("outcome", "are about different outcomes"), ("activity", "are about activities of different names"),
        ("practice_version", "are about different versions of the practice"),
        ("protocol_hash", "were asked by different protocols"), ("estimator", "were estimated in different ways"),
    ):  # fmt: skip
        if len({str(bundle.get(key)) for bundle, _, _ in bundles}) > 1:
            found.append(f"The bundles {what}.")
    for bundle, _, name in bundles:
        failed = [
            str(gate.get("name")) for gate in bundle["gates"] if isinstance(gate, dict) and not gate.get("passed")
        ]
        if failed:
            found.append(f"{name} did not pass: {', '.join(failed)}.")
    if len(bundles) < 3:
        found.append("Two bundles do not let anything be said of the next site.")
    return found


def printed(found: Mapping[str, Any]) -> str:
    """For people, 80 columns."""
    from staffroom.knowing.studies import printing

    effect, spread = found["effect"], found["replicability"]
    lines = printing._row(
        "All together", f"{effect['sd']:+.3f} SD, 95 % interval {effect['low']:+.3f} to {effect['high']:+.3f}"
    )
    text = [*lines]
    if spread["known"] and spread["prediction_low"] is not None:
        said = f"should expect {spread['prediction_low']:+.2f} to {spread['prediction_high']:+.2f} SD"
        said += f"; above zero with probability {spread['probability_positive']:.2f}"
        text += printing._row("The next site", said)
    text += ["", f"{'':<28} {'SD':>8} {'SE':>8} {'weight':>7} {'without':>8}"]
    for one in found["bundles"]:
        without = "" if one["leave_one_out"] is None else f"{one['leave_one_out']:+.3f}"
        text.append(
            f"{one['name'][:28]:<28} {one['sd']:>+8.3f} {one['se']:>8.3f} {100 * one['weight']:>6.0f}% {without:>8}"
        )
    text += ["", *printing._listed("Mind", found["warnings"])]
    return "\n".join(text) + "\n"
