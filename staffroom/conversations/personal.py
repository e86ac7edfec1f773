"""What this room keeps about people. Read by "My record", export, retention and erasure."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from staffroom.conversations.hosts import host_of
from staffroom.conversations.models import Comment, Draft, MailWish, Notice, Thread
from staffroom.conversations.notices import sentence_of
from staffroom.people.models import Person
from staffroom.people.personal import declare, impersonal


def _erase_comments(rows: QuerySet[Any], person: Person) -> int:
    """The words go, the place in somebody else's thread stays, without a name."""
    return rows.update(text="", withdrawn_at=timezone.now(), author=None)


def _delete(rows: QuerySet[Any], person: Person) -> int:
    return int(rows.delete()[0])


def _comment_page(comment: Comment) -> str:
    thing = comment.thread.about
    found = host_of(thing)
    return found.page(thing) if found else ""


# Long, as a table is: what is declared of each kind, one below the other.
def declare_all() -> None:
    impersonal(Thread, "only ties comments to a thing; names nobody")
    declare(
        model=Comment,
        what=gettext_lazy("What you said about a note or a clip"),
        why=gettext_lazy("So that colleagues can answer each other"),
        how_long=gettext_lazy("As long as the thing it was said about"),
        about=lambda person: Q(author=person),
        erase=_erase_comments,
        describe=lambda comment: comment.text or _("a comment that you took back"),
        author=lambda comment: comment.author.full_name if comment.author else _("somebody erased"),
        readers=lambda comment: _("Whoever can see the note or clip it was said about"),
        export=lambda comment: {
            "text": comment.text,
            "created_at": comment.created_at.isoformat(),
            "edited_at": comment.edited_at.isoformat() if comment.edited_at else None,
        },
        ends="ends_on",
        page=_comment_page,
    )
    declare(
        model=Notice,
        what=gettext_lazy("Notices that something waits for you"),
        why=gettext_lazy("So that you need not look everywhere"),
        how_long=gettext_lazy("One school year, or as long as your district keeps things"),
        about=lambda person: Q(recipient=person),
        erase=_delete,
        describe=sentence_of,
        author=lambda notice: notice.actor.full_name if notice.actor else _("Staffroom"),
        readers=lambda notice: _("You alone"),
        export=lambda notice: {"kind": notice.kind, "url": notice.url, "created_at": notice.created_at.isoformat()},
        ends="ends_on",
        page=lambda notice: notice.url,
    )
    declare(
        model=MailWish,
        what=gettext_lazy("How you want to hear of notices by mail"),
        why=gettext_lazy("Because you chose it"),
        how_long=gettext_lazy("Until you change it or leave"),
        about=lambda person: Q(person=person),
        erase=_delete,
        describe=lambda wish: wish.get_rhythm_display(),
        author=lambda wish: wish.person.full_name,
        readers=lambda wish: _("You alone"),
        export=lambda wish: {"rhythm": wish.rhythm},
        ends=gettext_lazy("When you change it or leave"),
    )
    declare(
        model=Draft,
        what=gettext_lazy("What you have typed and not sent"),
        why=gettext_lazy("So that nothing typed is lost"),
        how_long=gettext_lazy("30 days after you last touched it"),
        about=lambda person: Q(owner=person) & ~Q(body={}),
        erase=lambda rows, person: _delete(Draft.objects.filter(owner=person), person),
        describe=lambda draft: _("a draft at %(place)s") % {"place": draft.place},
        author=lambda draft: draft.owner.full_name,
        readers=lambda draft: _("You alone"),
        export=lambda draft: {"place": draft.place, "body": draft.body, "touched_at": draft.touched_at.isoformat()},
        ends="ends_on",
    )
