"""The ledger of model runs: who, by which key, with which model, how many tokens, what became of it. Never what was said."""

import uuid

from django.db import models

from tenants.models import Tenant


class ChatRun(models.Model):
    """One answer of a model, or why there was none. Written once, never changed. Outlives its tenant, as session requests do."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    at = models.DateTimeField()
    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, null=True, related_name="chat_runs"
    )
    assistant_slug = models.CharField(max_length=60, blank=True)
    agent_version = models.PositiveIntegerField(null=True, help_text="Empty: the draft, on trial.")
    key_id = models.UUIDField(null=True)
    visitor_ref = models.CharField(max_length=32, blank=True)
    origin = models.CharField(max_length=300, blank=True)
    operation = models.CharField(max_length=40, blank=True, help_text="The kind of ChatKit request.")
    outcome = models.CharField(
        max_length=32, help_text="“answered”, “cut” where the visitor left, or the code of the failure."
    )
    reason = models.CharField(max_length=40, blank=True, help_text="What lies behind the code; for the operator only.")
    would_refuse = models.CharField(
        max_length=80, blank=True, default="", help_text="Limits on trial that would have refused this."
    )
    model = models.CharField(max_length=100, blank=True)
    turns = models.PositiveSmallIntegerField(default=0)
    input_tokens = models.PositiveIntegerField(default=0)
    cached_tokens = models.PositiveIntegerField(default=0, help_text="Of the input tokens, those at the lower price.")
    output_tokens = models.PositiveIntegerField(default=0)
    is_estimated = models.BooleanField(default=False, help_text="The stream was cut before OpenAI had told the tokens.")
    cost_microdollars = models.PositiveBigIntegerField(
        null=True, help_text="By the price table of the day; empty: no price."
    )
    first_ms = models.PositiveIntegerField(null=True, help_text="Until the first words.")
    latency_ms = models.PositiveIntegerField(default=0, help_text="The whole answer.")
    upstream_request_id = models.CharField(max_length=128, blank=True)
    request_id = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["-at"]
        verbose_name = "model run"
        indexes = [
            models.Index(fields=["at"], name="chat_run_at"),
            models.Index(fields=["tenant", "at"], name="chat_run_tenant_at"),
            models.Index(fields=["tenant", "visitor_ref", "at"], name="chat_run_visitor_at"),
            models.Index(fields=["request_id"], name="chat_run_request"),
            models.Index(fields=["tenant", "at"], condition=~models.Q(would_refuse=""), name="chat_run_on_trial"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.model}"
