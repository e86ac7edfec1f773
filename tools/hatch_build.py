"""The wheel's build hook: ships the built front end, so that whoever installs Staffroom needs no npm.

pip calls the hook more than once, and uv does not call it again after an edit to the front end; so the work is in
`front_end.build`, which does nothing while its stamp matches and which `tools/setup` and `make front` call as well. A wheel
made from a source distribution finds the files and the stamp in there and needs no network.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))

import front_end  # noqa: E402


class FrontEndHook(BuildHookInterface[Any]):
    """Builds the front end before hatchling collects files."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build unless told not to: `tools/setup` builds by itself after the environment is there."""
        if os.environ.get("STAFFROOM_SKIP_FRONT_END") != "1":
            front_end.build(Path(self.root), self.app.display_info)
