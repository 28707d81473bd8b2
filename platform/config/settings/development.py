"""A workstation: plain http on loopback. Secrets still come from the environment (`make demo` creates them in var/)."""

import os

os.environ.setdefault("REQUIRE_HTTPS", "0")

from config.settings.base import *  # noqa: F403
