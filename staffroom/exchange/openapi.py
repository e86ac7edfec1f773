"""The xAPI door as an OpenAPI document: for who writes a client, and for the tests that knock at it in every way it describes.

Resources, methods and parameters are told here; what a statement is, the specification tells better than a schema could.
"""

from __future__ import annotations

from typing import Any

from staffroom import __version__
from staffroom.exchange.actions.receiving import MOST
from staffroom.exchange.asking import LARGEST_PAGE
from staffroom.exchange.door import VERSIONS
from staffroom.exchange.presenting import FORMATS

type Schema = dict[str, Any]

_TEXT: Schema = {"type": "string", "minLength": 1}
_IRI: Schema = {"type": "string", "format": "uri"}
_UUID: Schema = {"type": "string", "format": "uuid"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_TRUTH: Schema = {"type": "string", "enum": ["true", "false"]}
_AGENT: Schema = {
    "type": "object",
    "properties": {
        "objectType": {"enum": ["Agent", "Group"]}, "name": {"type": "string"},
        "mbox": {"type": "string", "pattern": "^mailto:[a-z]{1,9}@[a-z]{1,9}[.]example$"},
        "mbox_sha1sum": {"type": "string", "pattern": "^[0-9a-f]{40}$"}, "openid": _IRI,
        "account": {
            "type": "object", "required": ["homePage", "name"], "properties": {"homePage": _IRI, "name": _TEXT},
            "additionalProperties": False,
        },
    },
    "oneOf": [{"required": [name]} for name in ("mbox", "mbox_sha1sum", "openid", "account")],
}  # fmt: skip
_LANGUAGES: Schema = {
    "type": "object",
    "propertyNames": {"enum": ["en", "en-US", "es"]},
    "additionalProperties": {"type": "string"},
}
_STATEMENT: Schema = {
    "type": "object",
    "required": ["actor", "verb", "object"],
    "properties": {
        "id": _UUID,
        "actor": {"$ref": "#/components/schemas/Agent"},
        "verb": {
            "type": "object", "required": ["id"], "properties": {"id": _IRI, "display": _LANGUAGES}, "additionalProperties": False,
        },
        "object": {
            "oneOf": [
                {
                    "type": "object", "required": ["objectType", "id"], "additionalProperties": False,
                    "properties": {
                        "objectType": {"const": "Activity"}, "id": _IRI,
                        "definition": {"type": "object", "properties": {"name": _LANGUAGES, "type": _IRI}, "additionalProperties": False},
                    },
                },
                {
                    "type": "object", "required": ["objectType", "id"], "additionalProperties": False,
                    "properties": {"objectType": {"const": "StatementRef"}, "id": _UUID},
                },
            ]
        },
        "result": {
            "type": "object", "additionalProperties": False,
            "properties": {
                "success": {"type": "boolean"}, "completion": {"type": "boolean"}, "response": {"type": "string"},
                "score": {"type": "object", "properties": {"scaled": {"type": "number", "minimum": -1, "maximum": 1}}},
                "duration": {"type": "string", "pattern": "^PT[0-9]{1,4}[HMS]$"},
            },
        },
        "context": {"type": "object"}, "timestamp": _MOMENT, "attachments": {"type": "array", "items": {"type": "object"}},
    },
}  # fmt: skip
_ANYTHING: Schema = {"application/json": {"schema": {}}, "application/octet-stream": {"schema": {"type": "string"}}}

_REFUSED = {
    "400": "A rule was broken: `detail` says which, `problems` where.", "401": "No key, or one that is not known or was revoked.",
    "403": "The key lacks a scope.", "409": "It conflicts with what is there.", "412": "It is another one by now than the one told.",
    "413": "It is too large.", "503": "The store is out of reach: ask again.",
}  # fmt: skip


def _parameter(name: str, schema: Schema, where: str = "query", *, is_needed: bool = False) -> Schema:
    told: Schema = {"name": name, "in": where, "required": is_needed}
    if schema.get("$ref"):
        return {**told, "content": {"application/json": {"schema": schema}}}
    return {**told, "schema": schema}


_WHO = _parameter("agent", {"$ref": "#/components/schemas/Agent"}, is_needed=True)
_WHAT = _parameter("activityId", _IRI, is_needed=True)
_VERSION = _parameter(
    "X-Experience-API-Version", {"type": "string", "enum": list(VERSIONS.values())}, "header", is_needed=True
)
_GUARDS = [_parameter(name, {"type": "string"}, "header") for name in ("If-Match", "If-None-Match")]
_ASKED = [
    _parameter("statementId", _UUID), _parameter("voidedStatementId", _UUID), _parameter("agent", {"$ref": "#/components/schemas/Agent"}),
    _parameter("verb", _IRI), _parameter("activity", _IRI), _parameter("registration", _UUID), _parameter("related_agents", _TRUTH),
    _parameter("related_activities", _TRUTH), _parameter("since", _MOMENT), _parameter("until", _MOMENT),
    _parameter("limit", {"type": "integer", "minimum": 0, "maximum": LARGEST_PAGE}), _parameter("ascending", _TRUTH),
    _parameter("format", {"type": "string", "enum": list(FORMATS)}), _parameter("attachments", _TRUTH), _parameter("more", _TEXT),
]  # fmt: skip


def _operation(summary: str, status: int, parameters: list[Schema], body: Schema | None = None) -> Schema:
    made: Schema = {
        "summary": summary,
        "parameters": [_VERSION, *parameters],
        "responses": {
            str(status): {"description": "Done."},
            **{code: {"description": told} for code, told in _REFUSED.items()},
        },
    }
    return {**made, "requestBody": {"required": True, "content": body}} if body else made


def _documents(of: str, name: str, where: list[Schema]) -> Schema:
    """The four methods of a document resource."""
    one, maybe = _parameter(name, _TEXT, is_needed=True), _parameter(name, _TEXT)
    return {
        "get": _operation(f"Read {of}, or list which there are", 200, [*where, maybe, _parameter("since", _MOMENT)]),
        "put": _operation(f"Keep {of} in the place of what was there", 204, [*where, one, *_GUARDS], _ANYTHING),
        "post": _operation(f"Merge {of} of JSON with what was there", 204, [*where, one, *_GUARDS], _ANYTHING),
        "delete": _operation(f"Remove {of}", 204, [*where, maybe if name == "stateId" else one, *_GUARDS]),
    }


def document() -> Schema:
    """The whole description."""
    statement: Schema = {"$ref": "#/components/schemas/Statement"}
    many: Schema = {"type": "array", "items": statement, "maxItems": MOST}
    by_id = _parameter("statementId", _UUID, is_needed=True)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Staffroom: xAPI", "version": __version__,
            "description": "A learning record store of xAPI 1.0.3 and 2.0 (IEEE 9274.1.1).",
        },
        "servers": [{"url": "/xapi"}],
        "security": [{"key": []}, {"token": []}],
        "paths": {
            "/statements": {
                "get": _operation("Read one statement, or ask for many", 200, _ASKED),
                "put": _operation("Keep a statement under its id", 204, [by_id], {"application/json": {"schema": statement}}),
                "post": _operation(
                    "Keep one or many statements, all or none", 200, [], {"application/json": {"schema": {"anyOf": [statement, many]}}}
                ),
            },
            "/activities/state": _documents("a state", "stateId", [_WHAT, _WHO, _parameter("registration", _UUID)]),
            "/activities/profile": _documents("a profile of an activity", "profileId", [_WHAT]),
            "/agents/profile": _documents("a profile of an agent", "profileId", [_WHO]),
            "/activities": {"get": _operation("What is known of an activity", 200, [_WHAT])},
            "/agents": {"get": _operation("All identifiers of a person", 200, [_WHO])},
            "/about": {"get": {"summary": "Which versions are spoken", "security": [], "responses": {"200": {"description": "Done."}}}},
        },
        "components": {
            "schemas": {"Agent": _AGENT, "Statement": _STATEMENT},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "basic"},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
    }  # fmt: skip
