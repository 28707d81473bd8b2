"""The session endpoint's shop and its shared platform process, and the console's people."""

from tests.door_and_console import *  # noqa: F403  # the list stands there, once
