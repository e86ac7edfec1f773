"""A tool that knocks at the xAPI door as tools do, and statements for it to bring."""

from __future__ import annotations

import base64
import json
import uuid
from copy import deepcopy
from typing import Any

from django.apps import apps
from django.db import connection
from django.test import Client

from staffroom.exchange.actions import keys
from staffroom.people.models import Organization

DID = "https://vendor.example/verbs/did"
COURSE = "https://vendor.example/courses/fractions"
VOIDED = "http://adlnet.gov/expapi/verbs/voided"
VERSIONS = {1: "1.0.3", 2: "2.0.0"}
# What changes when somebody merely knocks: when a key was used last, and what was refused.
BESIDE = {"permissions.apikey", "exchange.rejection"}


class ToolAtTheDoor:
    """One key of one tool, in one version. Answers are Django's; `json_of` reads them."""

    def __init__(self, organization: Organization, *, major: int = 1, scopes: tuple[str, ...] = ("all",)) -> None:
        self.organization = organization
        self.tool = keys.add_tool(by=None, organization=organization, name=f"Tool {uuid.uuid4().hex[:8]}")
        self.major = major
        self.key, self.secret = self.new_key(*scopes)
        self.client = Client(raise_request_exception=False)

    def new_key(self, *scopes: str) -> tuple[Any, str]:
        return keys.make_key(by=None, tool=self.tool, scopes=scopes)

    def speaking(self, major: int) -> ToolAtTheDoor:
        other = ToolAtTheDoor.__new__(ToolAtTheDoor)
        other.__dict__.update(self.__dict__, major=major)
        return other

    def with_scopes(self, *scopes: str) -> ToolAtTheDoor:
        other = self.speaking(self.major)
        other.key, other.secret = self.new_key(*scopes)
        return other

    @property
    def headers(self) -> dict[str, str]:
        shown = base64.b64encode(f"{self.key.name}:{self.secret}".encode()).decode()
        return {"Authorization": f"Basic {shown}", "X-Experience-API-Version": VERSIONS[self.major]}

    def ask(
        self, method: str, path: str, body: Any = b"", *, content_type: str = "application/json", query: Any = None,
        headers: dict[str, str] | None = None, without: tuple[str, ...] = (),
    ) -> Any:  # fmt: skip
        content = body if isinstance(body, (bytes, str)) else json.dumps(body)
        told = {**self.headers, **(headers or {})}
        return self.client.generic(
            method, path if path.startswith("/") else f"/xapi/{path}", content, content_type=content_type,
            query_params=query, headers={name: value for name, value in told.items() if name not in without},
        )  # fmt: skip

    def get(self, path: str = "statements", *, headers: dict[str, str] | None = None, **query: Any) -> Any:
        told = {name: value if isinstance(value, str) else json.dumps(value) for name, value in query.items()}
        return self.ask("GET", path, query=told, headers=headers)

    def post(self, *statements: dict[str, Any]) -> list[str]:
        """Post one or many that must be taken; returns their ids."""
        answer = self.ask("POST", "statements", statements[0] if len(statements) == 1 else list(statements))
        assert answer.status_code == 200, answer.content
        return list(answer.json())

    def found(self, **query: Any) -> list[str]:
        """The ids of the statements of one page, in order."""
        answer = self.get(**query)
        assert answer.status_code == 200, answer.content
        return [each["id"] for each in answer.json()["statements"]]

    def all_found(self, **query: Any) -> list[str]:
        """The ids of all pages."""
        answer = self.get(**query).json()
        ids = [each["id"] for each in answer["statements"]]
        while answer["more"]:
            answer = self.ask("GET", answer["more"]).json()
            ids += [each["id"] for each in answer["statements"]]
        return ids


def agent(name: str = "amara") -> dict[str, Any]:
    return {"objectType": "Agent", "mbox": f"mailto:{name}@vendor.example"}


def account(name: str = "amara") -> dict[str, Any]:
    return {"objectType": "Agent", "account": {"homePage": "https://vendor.example", "name": name}}


def statement(**changes: Any) -> dict[str, Any]:
    """A plain statement with some properties as told; those told as None are left out."""
    made = {
        "id": str(uuid.uuid4()),
        "actor": agent(),
        "verb": {"id": DID, "display": {"en": "did"}},
        "object": {"objectType": "Activity", "id": COURSE},
    }
    return {name: value for name, value in {**made, **deepcopy(changes)}.items() if value is not None}


def reference(to: str) -> dict[str, str]:
    return {"objectType": "StatementRef", "id": to}


def voiding(of: str, **changes: Any) -> dict[str, Any]:
    return statement(verb={"id": VOIDED}, object=reference(of), **changes)


def held() -> str:
    """Everything in the database but what changes by merely knocking."""
    from django.core import serializers

    models = [model for model in apps.get_models() if model._meta.label_lower not in BESIDE]
    return "\n".join(serializers.serialize("json", model._base_manager.order_by("pk")) for model in models)


def rows_held() -> dict[str, int]:
    """How many rows the doors' tables hold."""
    tables = [
        model._meta.db_table
        for model in apps.get_models()
        if model._meta.app_label in ("exchange", "records") and model._meta.label_lower not in BESIDE
    ]
    with connection.cursor() as cursor:
        found = {}
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
            found[table] = int(cursor.fetchone()[0])
    return found


def told(name: str, secret: str) -> dict[str, str]:
    shown = base64.b64encode(f"{name}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {shown}", "X-Experience-API-Version": "1.0.3"}


def token_for(name: str, secret: str, **fields: str) -> Any:
    headers = {"Authorization": told(name, secret)["Authorization"]}
    return Client().post("/xapi/oauth/token", {"grant_type": "client_credentials", **fields}, headers=headers)


def knock(headers: dict[str, str]) -> int:
    return int(Client().get("/xapi/statements", headers=headers).status_code)
