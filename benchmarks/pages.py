"""CPU time, queries and size of pages and of the list API, against a bare Django view that renders as many rows, in one run.

    python -m benchmarks.pages               # 1,000 and 50,000 people
    python -m benchmarks.pages --people 1000

Goals: a list of 30 rows over the API at most 12 CPU ms with its permission checks; a page at most 25 CPU ms, 60 kB, 12 queries.
A ratio of the same run says more than milliseconds of a shared machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

ROUNDS = 30
PAGES = (
    ("amara.okafor", "/"),
    ("amara.okafor", "/lessons/"),
    ("amara.okafor", "/lessons/new/"),
    ("amara.okafor", "/consent/"),
    ("omar.haddad", "/people/"),
    ("denise.park", "/records/"),
    ("omar.haddad", "/api/people"),
    ("amara.okafor", "/api/lessons"),
)


def main() -> None:
    """Each size in a process and a data folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, nargs="*", default=[1_000, 50_000])
    parser.add_argument("--here", type=int, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.here:
        measure(told.here)
        return
    for people in told.people:
        with tempfile.TemporaryDirectory(prefix="staffroom-bench-") as folder:
            environment = {**os.environ, "STAFFROOM_DATA": folder, "DJANGO_SETTINGS_MODULE": "staffroom.settings",
                           "STAFFROOM_API_PER_MINUTE": "0"}  # fmt: skip
            command = [sys.executable, "-m", "benchmarks.pages", "--here", str(people)]
            subprocess.run(command, env=environment, check=True)


def measure(people: int) -> None:
    import logging

    import django

    django.setup()
    logging.disable(logging.CRITICAL)
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from staffroom.home.demo import placing, world

    teachers = max(24, round(people * 420 / 9437))
    placing.place(world.draw(teachers=teachers, seed=2), seed=2)
    from staffroom.people.models import Person

    print(f"\n{Person.objects.count():,} people")
    floor_ms = _floor()
    print(f"{'':14}{'bare view, 30 rows':32}{floor_ms:7.1f} ms  (floor)")
    for who, address in PAGES:
        _report(who, address, floor_ms)


def _client(who: str) -> Any:
    from django.conf import settings
    from django.test import Client

    from staffroom.people.models import Person

    settings.ALLOWED_HOSTS = ["*"]
    client = Client()
    client.force_login(Person.objects.get(email=f"{who}@riverbend.example"))
    return client


def _cpu_ms(client: Any, address: str) -> float:
    for _ in range(3):
        client.get(address)
    began = time.process_time()
    for _ in range(ROUNDS):
        client.get(address)
    return (time.process_time() - began) / ROUNDS * 1000


def _floor() -> float:
    """Thirty rows read and rendered by a view without session, permissions, navigation: what Django itself costs."""
    from django.http import HttpRequest, HttpResponse
    from django.template import engines
    from django.test import RequestFactory

    from staffroom.people.models import Person

    template = engines["django"].from_string("<ul>{% for p in people %}<li>{{ p.given_name }}</li>{% endfor %}</ul>")

    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(template.render({"people": Person.objects.order_by("pk")[:30]}))

    request = RequestFactory().get("/")
    view(request)
    began = time.process_time()
    for _ in range(ROUNDS):
        view(request)
    return (time.process_time() - began) / ROUNDS * 1000


def _report(who: str, address: str, floor_ms: float) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = _client(who)
    cpu_ms = _cpu_ms(client, address)
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(address)
    size_kb = len(answer.content) / 1000
    words = f"{answer.status_code} {address}"
    print(
        f"{who:14}{words:32}{cpu_ms:7.1f} ms  {cpu_ms / floor_ms:5.1f} × floor  {len(asked):3} queries  {size_kb:6.1f} kB"
    )


if __name__ == "__main__":
    main()
