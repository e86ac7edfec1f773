"""What the benchmark of the xAPI door sends: statements of many teachers about many courses, about 1 kB each."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

TEACHERS, ACTIVITIES, BATCH = 10_000, 300, 100
HOME = "https://lms.example.org"
VERBS = ("launched", "initialized", "answered", "completed", "passed")


def teacher(number: int) -> dict[str, Any]:
    return {
        "objectType": "Agent", "name": f"Teacher {number}",
        "account": {"homePage": HOME, "name": f"t-{number:05}"},
    }  # fmt: skip


def course(number: int) -> str:
    return f"{HOME}/catalog/mathematics/courses/fractions-{number // 10}/modules/{number}"


def statements(seed: int) -> Iterator[dict[str, Any]]:
    """Statements without end, always the same for a seed."""
    draw = random.Random(seed)
    while True:
        yield statement(draw)


def statement(draw: random.Random) -> dict[str, Any]:
    who, activity, verb = draw.randrange(TEACHERS), draw.randrange(ACTIVITIES), draw.choice(VERBS)
    minutes, points = draw.randrange(1, 90), draw.randrange(11)
    moment = datetime(2026, 9, 1, 8, tzinfo=UTC) + timedelta(seconds=draw.randrange(80 * 86_400))
    return {
        "id": str(uuid.UUID(int=draw.getrandbits(128), version=4)),
        "actor": teacher(who),
        "verb": {"id": f"http://adlnet.gov/expapi/verbs/{verb}", "display": {"en-US": verb}},
        "object": {
            "objectType": "Activity", "id": course(activity),
            "definition": {
                "type": "http://adlnet.gov/expapi/activities/module", "name": {"en-US": f"Module {activity}"},
                "description": {"en-US": "Comparing fractions with unlike denominators by benchmarks and on the number line"},
            },
        },
        "result": {
            "completion": verb in ("completed", "passed"), "duration": f"PT{minutes}M{draw.randrange(60)}S",
            "score": {"scaled": points / 10, "raw": points, "min": 0, "max": 10},
        },
        "context": {
            "registration": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{who} in {activity}")), "platform": "Example LMS", "language": "en-US",
            "contextActivities": {
                "parent": [{"objectType": "Activity", "id": f"{HOME}/catalog/mathematics/courses/fractions-{activity // 10}"}],
                "grouping": [{"objectType": "Activity", "id": f"{HOME}/catalog/mathematics"}],
            },
            "extensions": {f"{HOME}/xapi/extensions/attempt": draw.randrange(1, 4)},
        },
        "timestamp": moment.isoformat(timespec="milliseconds"),
    }  # fmt: skip
