"""A person's export: a zip of open formats (JSON, CSV, the media itself), written piece by piece."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path
from typing import IO, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from staffroom.home import queries
from staffroom.people.models import Person

PIECE = 1 << 20
README = """This is everything that Staffroom stores about {name}, as of {at}.

my-record.csv   one line for each stored thing: what, why, author, who can read it, when it ends
data/*.json     the content of each thing, one file a kind
files/*         recordings and other files, as they were brought
"""


def write_export(person: Person, target: IO[bytes]) -> dict[str, int]:
    """Write the zip into an open binary file; returns how many rows and files it holds."""
    rows = files = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README.format(name=person.full_name, at=timezone.now().isoformat()))
        archive.writestr("my-record.csv", _table(person))
        for kind, values, attached in queries.exported(person):
            text = json.dumps(values, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
            archive.writestr(f"data/{kind}.json", text)
            rows += len(values)
            for number, (name, source) in enumerate(attached, 1):
                _copy(archive, f"files/{kind}-{number}-{_plain(name)}", source)
                files += 1
    return {"rows": rows, "files": files}


def _table(person: Person) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("kind", "what", "why", "author", "readers", "ends"))
    writer.writerows(queries.record_lines(person))
    return text.getvalue()


def _plain(name: str) -> str:
    """A file name without anything that could lead out of the folder it is unpacked to."""
    return re.sub(r"[^\w.-]+", "-", Path(name).name)[-100:] or "file"


def _copy(archive: zipfile.ZipFile, name: str, source: Any) -> None:
    """Copy a file into the archive in pieces; media is stored, not deflated again."""
    opened = open(source, "rb") if isinstance(source, (str, Path)) else source  # noqa: SIM115
    with opened, archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as entry:
        while piece := opened.read(PIECE):
            entry.write(piece)
