"""When each key is to be checked next, and what each check found."""

import uuid

from django.db import models

from tenants.models import ApiKey, Assistant, Verdict


class CheckKind(models.TextChoices):
    READ = "read", "read probe: the key and its access to ChatKit"
    CREATE = "create", "create and cancel: the key and the workflow together"


class CheckPlan(models.Model):
    """The next check of a key alone (no assistant: the read probe) or of a (key, assistant) pair (create and cancel).

    Claimed by a conditional UPDATE whose row count says who won; a claim that expires is taken up again. Written in the transaction of
    the change that wants the check, so that no lost message can lose it.
    """

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="check_plans")
    assistant = models.ForeignKey(Assistant, null=True, on_delete=models.CASCADE, related_name="check_plans")
    due_at = models.DateTimeField(db_index=True)
    claim = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # How many of the latest checks in a row spoke for `suspect`, a verdict that is not yet believed.
    suspect = models.CharField(max_length=20, blank=True)
    suspect_count = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "assistant"], name="one_plan_per_pair"),
            models.UniqueConstraint(fields=["key"], condition=models.Q(assistant__isnull=True), name="one_plan_per_key"),
        ]

    def __str__(self) -> str:
        return f"check of {self.key_id} due {self.due_at:%H:%M:%S}"


class KeyCheck(models.Model):
    """One health check and its finding. `claim` makes a check that is done twice count once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    claim = models.UUIDField(unique=True)
    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="checks")
    assistant = models.ForeignKey(Assistant, null=True, on_delete=models.CASCADE, related_name="checks")
    kind = models.CharField(max_length=8, choices=CheckKind.choices)
    at = models.DateTimeField()
    finding = models.CharField(max_length=20, choices=Verdict.choices)
    reason = models.CharField(max_length=40, blank=True)
    upstream_status = models.PositiveSmallIntegerField(null=True)
    upstream_code = models.CharField(max_length=64, blank=True)
    upstream_request_id = models.CharField(max_length=128, blank=True)
    latency_ms = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-at"]
        verbose_name = "key check"
        indexes = [models.Index(fields=["key", "-at"], name="key_check_key_at")]

    def __str__(self) -> str:
        return f"{self.finding} at {self.at:%Y-%m-%d %H:%M:%S}"
