"""The surroundings of every test, set before Django reads its settings: pytest loads this first (`-p tests.surroundings`).

A conftest would come too late: pytest-django has the settings by then, and tests would write into the data folder of whoever runs them.
"""

import atexit
import os
import shutil
import sys
import tempfile

if "STAFFROOM_DATA" not in os.environ:  # the processes that this one starts have it from here
    os.environ["STAFFROOM_DATA"] = folder = tempfile.mkdtemp(prefix="staffroom-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)

# Counting would stop the tests that knock thousands of times; tests of the limit set their own.
os.environ.setdefault("STAFFROOM_API_PER_MINUTE", "0")
os.environ.setdefault("STAFFROOM_UPLOADS_PER_MINUTE", "0")

# Playwright keeps an event loop running in the process that drives a browser; tests that follow there use the database all the same.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

# Hundreds of processes start during the tests. Where Python was told to write no compiled modules, each would compile all of them anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
