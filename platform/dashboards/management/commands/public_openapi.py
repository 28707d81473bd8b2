"""Prints the OpenAPI document of the public endpoints as YAML: `manage.py public_openapi > docs/openapi-public.yaml`."""

from typing import Any

from django.core.management.base import BaseCommand

from dashboards.public_api.document import as_yaml, public_openapi


class Command(BaseCommand):
    help = "Prints the OpenAPI document of the public endpoints."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(as_yaml(public_openapi()), ending="")
