"""``python -m staffroom`` is the command ``staffroom``."""

import sys

from staffroom.cli import main

sys.exit(main())
