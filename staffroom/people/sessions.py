"""Where sessions lie: in the database, as Django keeps them. Whoever asks is found by questions that are ready (`prepared`)."""

from __future__ import annotations

from datetime import datetime

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from staffroom.people.models import Person
from staffroom.people.prepared import prepared


class SessionStore(db.SessionStore):
    """Django's sessions in the database (`SESSION_ENGINE`)."""

    def _get_session_from_db(self) -> Session | None:
        found: list[Session] = _lasting(self.session_key or "", timezone.now())
        if not found:
            self._session_key = None
        return found[0] if found else None


class Accounts(AuthenticationBackend):  # type: ignore[misc]  # allauth ships no types
    """Sign-in by e-mail and password (`AUTHENTICATION_BACKENDS`)."""

    def get_user(self, user_id: int) -> Person | None:
        """The person of a session, who must still be active."""
        return next((person for person in _numbered(user_id) if self.user_can_authenticate(person)), None)


@prepared
def _lasting(key: str, at: datetime) -> QuerySet[Session]:
    return Session.objects.filter(session_key=key, expire_date__gt=at)


@prepared
def _numbered(pk: int) -> QuerySet[Person]:
    return Person.objects.filter(pk=pk).order_by()
