"""Writes docs/refusals.md anew: `.venv/bin/python -m tests.refusals`, with DJANGO_SETTINGS_MODULE=config.settings.test."""

import django

django.setup()

from tests.refusals.document import FILE, document  # noqa: E402 the words need the settings

FILE.write_text(document())
