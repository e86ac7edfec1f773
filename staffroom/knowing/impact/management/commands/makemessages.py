"""`django-admin makemessages`, which also finds what pictures and answers say: their packages know no Django, and so no gettext.

Pictures say their words through `say` and `counted`; the sentences of answers are values of two tables in `measure`.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from django.core.management.commands import makemessages

from staffroom.measure.sentence import MESSAGES
from staffroom.measure.singular import ONE


class Command(makemessages.Command):
    xgettext_options = [*makemessages.Command.xgettext_options, "--keyword=say", "--keyword=counted:2,3"]

    def handle(self, *args: Any, **options: Any) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.sentences = Path(folder) / "sentences.py"
            self.sentences.write_text(in_calls(), encoding="utf-8")
            super().handle(*args, **options)

    def find_files(self, root: str) -> list[Any]:
        found = super().find_files(root)
        if self.domain == "django":
            place = os.path.relpath(self.sentences.parent, root)
            found.append(self.translatable_file_class(place, self.sentences.name, self.default_locale_path))
        return found


def in_calls() -> str:
    """The sentences of `measure` as calls that gettext understands."""
    calls = [f"gettext_noop({text!r})" for key, text in MESSAGES.items() if key not in ONE]
    calls += [f"ngettext({one!r}, {MESSAGES[key]!r}, 1)" for key, (_counting, one) in ONE.items()]
    return "\n".join(calls) + "\n"
