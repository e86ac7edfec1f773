"""Whatever is sent to the xAPI door, right or wrong by its own description, it answers in words: never by breaking.

Schemathesis makes the requests from `/xapi/openapi.json`. `STAFFROOM_FUZZ=10000` sends that many instead of a hundred.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.core import NotSet
from schemathesis.generation import GenerationMode

from tests.exchange.knocking import ToolAtTheDoor, rows_held

pytestmark = pytest.mark.django_db
REQUESTS = int(os.environ.get("STAFFROOM_FUZZ", "100"))
METHODS = {"get", "put", "post", "delete"}


def described(tool: ToolAtTheDoor) -> dict[str, Any]:
    answer = tool.ask("GET", "openapi.json", without=("Authorization", "X-Experience-API-Version"))
    assert answer.status_code == 200
    return dict(answer.json())


def text(value: Any) -> str:
    told = value if isinstance(value, str) else json.dumps(value, default=str)
    return told.encode("utf-8", "replace").decode()


def send(tool: ToolAtTheDoor, case: Any) -> Any:
    content = b"" if isinstance(case.body, NotSet) else text_or_json(case).encode("utf-8", "replace")
    query = {
        name: [text(each) for each in value] if isinstance(value, list) else text(value)
        for name, value in (case.query or {}).items()
    }
    headers = {
        name: value for name, value in (case.headers or {}).items()
        if isinstance(value, str) and value.isascii() and value.isprintable() and name.lower() not in ("content-length", "authorization")
    }  # fmt: skip
    return tool.ask(
        case.method,
        f"/xapi{case.path}",
        content,
        content_type=case.media_type or "application/json",
        query=query,
        headers=headers,
    )


def text_or_json(case: Any) -> str:
    if case.media_type == "application/octet-stream":
        return case.body if isinstance(case.body, str) else str(case.body)
    return json.dumps(case.body, default=str)


def test_no_request_breaks_the_door(tool: ToolAtTheDoor) -> None:
    schema = schemathesis.openapi.from_dict(described(tool))
    operations = [found.ok() for found in schema.get_all_operations()]
    each = max(2, REQUESTS // len(operations) + 1)
    wrong: list[str] = []
    answers = Counter[int]()
    for number, operation in enumerate(operations):
        strategy = operation.as_strategy(generation_mode=GenerationMode.POSITIVE) | operation.as_strategy(
            generation_mode=GenerationMode.NEGATIVE
        )

        @seed(2026)
        @settings(
            max_examples=each,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=strategy)
        def fire(case: Any) -> None:
            before = rows_held()
            answer = send(tool.speaking(1 + sum(answers.values()) % 2), case)
            answers[answer.status_code] += 1
            if answer.status_code >= 500:
                wrong.append(f"{case.method} {case.path} {case.query} {str(case.body)[:300]}: {answer.status_code}")
            elif answer.status_code >= 400 and rows_held() != before:
                wrong.append(f"{case.method} {case.path} {case.query}: {answer.status_code}, and it changed something")

        fire()
        assert number < len(operations)
    print(f"{sum(answers.values())} requests at {len(operations)} operations: {dict(sorted(answers.items()))}")
    assert sum(answers.values()) >= 0.8 * REQUESTS
    assert not wrong, "\n".join(wrong[:20])
    assert {200, 204, 400} <= answers.keys(), "right requests and wrong ones were among them"


def test_the_description_names_every_resource_with_its_methods(tool: ToolAtTheDoor) -> None:
    """Each operation that is described is there (not 404, not 405), each that is not is not (405)."""
    for path, described_here in described(tool)["paths"].items():
        for method in METHODS:
            status = tool.ask(method.upper(), path.removeprefix("/")).status_code
            assert (status == 405) == (method not in described_here), f"{method} {path}: {status}"


def test_the_description_names_every_parameter_that_is_known(tool: ToolAtTheDoor) -> None:
    described_here = described(tool)["paths"]["/statements"]["get"]["parameters"]
    for each in described_here:
        if each["in"] == "query":
            answer = tool.ask("GET", "statements", query={each["name"]: "\u2603"})
            assert "not known" not in answer.content.decode(), each["name"]
    assert "not known" in tool.ask("GET", "statements", query={"actor": "x"}).json()["detail"]
