"""Production: the defaults of base.py are its defaults, so that nothing exists only here."""

from config.settings.base import *  # noqa: F403
