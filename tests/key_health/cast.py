"""A customer with one key and one assistant, known to the platform and to the sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from key_health.check import check_due
from key_health.models import CheckPlan, KeyCheck
from sandbox.testing import Sandbox
from tenants.models import ApiKey, Assistant, AssistantKey, Tenant
from tests.tenants.cast import give_assistant, give_key, register


@dataclass
class Customer:
    tenant: Tenant
    key: ApiKey
    assistant: Assistant
    secret: str
    workflow_id: str

    @classmethod
    def join(cls, sandbox: Sandbox, name: str) -> Customer:
        workflow_id = f"wf_{name.lower()}"
        secret = sandbox.add_key(project=f"proj_{name.lower()}", workflows=[workflow_id])
        tenant = register(name)
        key = give_key(tenant, secret)
        return cls(tenant, key, give_assistant(tenant, key, workflow_id=workflow_id), secret, workflow_id)

    @property
    def verdict(self) -> str:
        return ApiKey.objects.get(pk=self.key.pk).verdict

    @property
    def pair(self) -> AssistantKey:
        return AssistantKey.objects.get(key=self.key, assistant=self.assistant)

    @property
    def checks(self) -> list[str]:
        """Findings of the key alone, oldest first."""
        return list(
            KeyCheck.objects.filter(key=self.key, assistant=None).order_by("at").values_list("finding", flat=True)
        )

    def plan(self, *, of_pair: bool = False) -> CheckPlan:
        return CheckPlan.objects.get(key=self.key, assistant=self.assistant if of_pair else None)


def let_time_pass(until: timedelta = timedelta(days=2)) -> None:
    """As if every plan had become due, and every claim had expired."""
    now = timezone.now()
    CheckPlan.objects.filter(due_at__lte=now + until).update(due_at=now - timedelta(seconds=1))
    CheckPlan.objects.filter(claimed_until__isnull=False).update(claimed_until=now - timedelta(seconds=1))


def check_all() -> int:
    let_time_pass()
    return check_due()
