"""Whatever is sent to the API, it answers in words: never by breaking, and what it refuses has changed nothing.

Schemathesis makes requests from the OpenAPI document, right ones and wrong ones, and sends them as a teacher and as an administrator.
`STAFFROOM_FUZZ=10000` sends that many requests instead of the few hundred of an ordinary run.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.apps import apps
from django.conf import settings as django_settings
from django.core import serializers
from django.db import connection, transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.core import NotSet
from schemathesis.generation import GenerationMode

from staffroom.api import api
from tests.promises import world as worlds

pytestmark = pytest.mark.django_db
REQUESTS = int(os.environ.get("STAFFROOM_FUZZ", "300"))
WHO = ("amara", "omar")
KEYS = {"lessons": "lesson", "clips": "clip", "moments": "moment", "activities": "activity", "statements": "statement"}


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[worlds.World]:
    django_settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
    with django_db_blocker.unblock(), transaction.atomic():
        yield worlds.build()
        transaction.set_rollback(True)


def operations() -> list[Any]:
    """The operations of the API, as Schemathesis reads them."""
    document = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/"), default=str))
    schema = schemathesis.openapi.from_dict(document)
    return [found.ok() for found in schema.get_all_operations()]


def held() -> str:
    """Everything in the database."""
    return "\n".join(serializers.serialize("json", model._base_manager.order_by("pk")) for model in apps.get_models())


def rows_touched() -> int:
    """How many rows SQLite has written since it was opened; on other databases every refusal is looked at."""
    if connection.vendor != "sqlite":
        return -1
    with connection.cursor() as cursor:
        cursor.execute("SELECT total_changes()")
        return int(cursor.fetchone()[0])


def address(case: Any, world: worlds.World, is_real: bool) -> str:
    """Where a case goes; every second one to a thing that is there, else all would end at 404."""
    kind = case.path.split("/")[2] if case.path.count("/") > 2 else ""
    kind = "statements" if "statements" in case.path else "activities" if "activities" in case.path else kind
    if is_real and kind in KEYS and "{" in case.path:
        return str(case.path.replace("{key}", str(getattr(world, KEYS[kind]).key)))
    try:
        return str(case.formatted_path)
    except Exception:
        return ""


def send(client: Client, case: Any, url: str) -> Any:
    body = b"" if isinstance(case.body, NotSet) else json.dumps(case.body, default=str).encode("utf-8", "replace")
    query = {name: value for name, value in (case.query or {}).items() if value is not None}
    return client.generic(
        case.method, url.encode("utf-8", "replace").decode("latin-1") if not url.isascii() else url, body,
        content_type="application/json", query_params=_plain(query),
    )  # fmt: skip


def _plain(query: dict[str, Any]) -> dict[str, Any]:
    def text(value: Any) -> str:
        return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "replace").decode()

    return {name: [text(v) for v in value] if isinstance(value, list) else text(value) for name, value in query.items()}


@pytest.mark.parametrize("name", WHO)
def test_no_request_breaks_the_api_and_no_refused_one_changes_anything(world: worlds.World, name: str) -> None:
    client, wrong, answers = world.client(name), [], Counter[int]()
    found = operations()
    each = max(2, REQUESTS // (len(found) * len(WHO)))
    before = held()
    for operation in found:
        strategy = operation.as_strategy(generation_mode=GenerationMode.POSITIVE) | operation.as_strategy(
            generation_mode=GenerationMode.NEGATIVE
        )

        @seed(2026)
        @settings(
            max_examples=each, database=None, deadline=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=strategy)
        def fire(case: Any) -> None:
            url = address(case, world, is_real=sum(answers.values()) % 2 == 0)
            if not url:
                return
            touched = rows_touched()
            with worlds.undone():
                answer = send(client, case, url)
                answers[answer.status_code] += 1
                if answer.status_code >= 500:
                    wrong.append(f"{case.method} {url} {case.query} {str(case.body)[:300]}: {answer.status_code}")
                elif answer.status_code >= 400 and rows_touched() != touched and held() != before:
                    wrong.append(
                        f"{case.method} {url} {str(case.body)[:300]}: {answer.status_code}, and it changed something"
                    )

        fire()
    print(f"{name}: {sum(answers.values())} requests at {len(found)} operations: {dict(sorted(answers.items()))}")
    assert sum(answers.values()) >= 0.8 * REQUESTS / len(WHO)
    assert not wrong, "\n".join(wrong[:20])
