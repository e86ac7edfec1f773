"""The sentences that islands say, here so that gettext finds them; `{% island %}` puts an island's own beside its script as JSON.

One module per island, each with ``WORDS``: a name, and a sentence with ``{places}`` for its values, or for a number's sake
a function of that number (``count`` among its values) that calls ``ngettext``. `islands/<name>/words.ts` lists the same names
with their values, so that tsc refuses a word or value that is not there; a test holds both lists against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, cast

from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from staffroom.ui.elements import json_element
from staffroom.ui.island_words import file_uploader, lesson_player, lesson_recorder

type Word = Promise | str | Callable[[int], str]

WORDS: dict[str, Mapping[str, Word]] = {
    "file-uploader": cast("Mapping[str, Word]", file_uploader.WORDS),
    "lesson-player": cast("Mapping[str, Word]", lesson_player.WORDS),
    "lesson-recorder": cast("Mapping[str, Word]", lesson_recorder.WORDS),
}
# Languages decide by a number's last two digits: 200 numbers show the small ones, which may be exceptions, and how it goes on.
NUMBERS = range(200)


def words_script(island: str) -> SafeString:
    """The island's sentences in the language of now, as JSON with the id `<island>-words`; nothing for one that says nothing."""
    return _script(island, get_language() or "")


@lru_cache(maxsize=256)
def _script(island: str, language: str) -> SafeString:
    """Made once for each language: a page that shows a recording asks for some sixty sentences."""
    words = WORDS.get(island)
    return (
        json_element({name: _told(word) for name, word in words.items()}, f"{island}-words")
        if words
        else SafeString("")
    )


def _told(word: Word) -> Any:
    """A sentence as it is; for a number its forms, and which form each number has, without the last form's repetitions."""
    if not callable(word):
        return str(word)
    said = [word(number) for number in NUMBERS]
    forms = list(dict.fromkeys(said))
    which = "".join(str(forms.index(each)) for each in said)
    return {"forms": forms, "which": which.rstrip(which[-1]) + which[-1]}
