"""Who asks: the person behind a request that has passed `login_required`, typed as one."""

from __future__ import annotations

from django.http import HttpRequest

from staffroom.people.models import Person


def viewer_of(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)
    return request.user
