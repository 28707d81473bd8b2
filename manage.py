#!/usr/bin/env python
"""Django's command line; the rooms in `platform/` are told to Python here, once."""

import os
import sys
from pathlib import Path

# Appended, never inserted: a package of ours can then never shadow the standard library's `platform` or any other.
sys.path.append(str(Path(__file__).resolve().parent / "platform"))


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.development")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
