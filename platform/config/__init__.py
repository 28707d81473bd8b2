"""The project's own settings, addresses and doors; `celery -A config` finds its application here."""

from config.celery_app import app as celery_app

__all__ = ["celery_app"]
