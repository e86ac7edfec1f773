"""What notices say: each room registers the kinds it sends, with a sentence that names people and never what was written.

The sentence may use ``%(actor)s`` and what the notice keeps in ``details``; the mail uses it too, so details hold no content.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from staffroom.conversations.models import Notice

_sentences: dict[str, Any] = {}


def register(kind: str, sentence: Any) -> None:
    """Say what a notice of this kind tells; ``sentence`` is a lazy translation."""
    _sentences[kind] = sentence


def is_registered(kind: str) -> bool:
    return kind in _sentences


class _Words(dict[str, Any]):
    """Words for a sentence; one that is missing is left out rather than refused."""

    def __missing__(self, name: str) -> str:
        return ""


def sentence_of(notice: Notice) -> str:
    """The notice in one sentence."""
    actor = notice.actor.full_name if notice.actor else _("Somebody")
    sentence = _sentences.get(notice.kind, gettext_lazy("Something waits for you."))
    return str(sentence) % _Words(notice.details, actor=actor)
