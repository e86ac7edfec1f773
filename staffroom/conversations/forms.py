"""What people type in conversations."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from staffroom.conversations.actions import LONGEST_COMMENT
from staffroom.conversations.models import MailWish


class CommentForm(forms.Form):
    """A turn in a thread."""

    text = forms.CharField(
        label=_("Your reply"),
        max_length=LONGEST_COMMENT,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Write something first.")},
    )


class MailWishForm(forms.Form):
    """How one hears of notices by mail."""

    rhythm = forms.ChoiceField(label=_("Tell me by mail"), choices=MailWish.Rhythm.choices, widget=forms.RadioSelect)
