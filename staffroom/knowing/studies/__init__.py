"""Studies of plain files: a question in a TOML file, its outcomes in CSV or Parquet, its answer as text, JSON, pictures and a bundle.

Plain Python without Django, settings or a database, so that the command answers wherever files lie; rooms of this wing may use
the parts. `asking` reads the question, `reading` the files, `joining` what stands beside them, `questions` puts them together for
`measure`, `running` answers, `telling` and `printing` say it, `bundles` carries it to other organizations.
"""

import os

# Small matrices: a second thread of the linear algebra only doubles the CPU time. Read when NumPy is first imported.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

LONGEST = 600
"""Letters of a message."""


class Refused(Exception):
    """What was asked cannot be done as it stands; the message names file, column and row, and what to do. One line, whatever
    the names in it hold."""

    def __init__(self, message: str) -> None:
        plain = "".join(letter if letter.isprintable() else " " for letter in message)
        super().__init__(plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…")
