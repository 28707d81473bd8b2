"""When each key is to be checked next, and what each check found."""

import uuid
from datetime import timedelta
from typing import Final

from django.db import models

from tenants.models import ApiKey, Assistant, Verdict
from tenants.models.assistant import Backend


class CheckKind(models.TextChoices):
    READ = "read", "read probe: the key and its access to ChatKit"
    CREATE = "create", "create and cancel: the key and the workflow together"
    MODEL = "model", "model probe: the key sees the assistant's model"
    ANSWER = "answer", "shortest answer: the key and the model together"
    LIVE = "live", "live traffic: a visitor's session was granted"


# Below a day, since a check comes up to a fifth of its interval early: so a day's check asks for an answer each time, and with
# a shorter CHECK_FULL_INTERVAL one a day does.
ANSWER_EVERY: Final = timedelta(hours=18)


class CheckPlan(models.Model):
    """The next check of a key alone (no assistant: the read probe) or of a (key, assistant) pair.

    A pair's is create and cancel for a hosted workflow, and the model's probe for what the platform serves.

    Claimed by a conditional UPDATE (sessions_api/claims.py); a claim that expires is taken up again. Written in the
    transaction of the change that wants the check, so that no lost message can lose it.
    """

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="check_plans")
    assistant = models.ForeignKey(Assistant, null=True, on_delete=models.CASCADE, related_name="check_plans")
    due_at = models.DateTimeField(db_index=True)
    claim = models.UUIDField(null=True, db_index=True)
    claimed_until = models.DateTimeField(null=True)
    # Claims of this slot so far; back to 0 when a check has been written down.
    attempts = models.PositiveSmallIntegerField(default=0)
    # The last three findings that prove something, newest first, since the key or the assistant was last changed.
    recent = models.JSONField(default=list)

    # When the shortest answer last came (it costs tokens); empty: the next check asks for one.
    answered_at = models.DateTimeField(null=True)

    class Meta:
        # Two constraints where one with `nulls_distinct=False` would do, which SQLite doesn't know.
        constraints = [
            models.UniqueConstraint(fields=["key", "assistant"], name="one_plan_per_pair"),
            models.UniqueConstraint(
                fields=["key"], condition=models.Q(assistant__isnull=True), name="one_plan_per_key_alone"
            ),
        ]

    def __str__(self) -> str:
        return f"check of {self.key_id} due {self.due_at:%H:%M:%S}"

    @property
    def kind(self) -> CheckKind:
        if self.assistant is None:
            return CheckKind.READ
        if self.assistant.backend == Backend.HOSTED_WORKFLOW:
            return CheckKind.CREATE
        return CheckKind.ANSWER if self.wants_answer else CheckKind.MODEL

    @property
    def wants_answer(self) -> bool:
        """Does not change while a check is under way, as the due time does not."""
        return self.answered_at is None or self.answered_at <= self.due_at - ANSWER_EVERY

    @property
    def slot(self) -> uuid.UUID:
        """Names this one check, whoever does it and however often: the due time does not move while a check is claimed."""
        return uuid.uuid5(uuid.NAMESPACE_OID, f"check-plan {self.pk} {self.due_at.isoformat()}")


class KeyCheck(models.Model):
    """One health check and its finding. `slot` is unique, so that a check which is done twice counts once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    slot = models.UUIDField(unique=True)
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
        indexes = [
            models.Index(fields=["key", "-at"], name="key_check_key_at"),
            models.Index(fields=["-at"], name="key_check_at"),
        ]

    def __str__(self) -> str:
        return f"{self.finding} at {self.at:%Y-%m-%d %H:%M:%S}"
