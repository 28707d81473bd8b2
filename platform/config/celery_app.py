"""The Celery application: JSON only, ids as arguments, no results.

Messages are hints; claims in the database are the truth (docs/decisions/0006-claims-are-the-truth.md), so a lost or doubled
message costs nothing but time.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")

app = Celery("config")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
