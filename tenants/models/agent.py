"""What an assistant of the platform's own backend is, in versions: one draft, any number that were published."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from tenants.models.assistant import Assistant
from tenants.models.epoch import ObservedModel
from tenants.models.tenant import refuse_secrets

MAX_INSTRUCTIONS = 32_000


class AgentVersion(ObservedModel):
    """Instructions, model, tools and limits. The draft has no number; a published one has, and is never changed again.

    Which one answers is `Assistant.published_version`: publishing and rolling back only move that.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    assistant = models.ForeignKey(Assistant, on_delete=models.CASCADE, related_name="agent_versions")
    number = models.PositiveIntegerField(null=True, editable=False, help_text="Counted from 1 at publishing.")
    instructions = models.TextField(
        max_length=MAX_INSTRUCTIONS,
        validators=[refuse_secrets],
        help_text="What the model is told before each conversation. Visitors may get it to repeat this: no secrets.",
    )
    model = models.CharField(
        max_length=100,
        validators=[RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9._:/-]*\Z", "A model's name has no blanks.")],
        help_text="A model of OpenAI's Responses API that the tenant's key may use.",
    )
    vector_store_ids = models.JSONField(
        default=list, blank=True, help_text="“vs_…” of the tenant's project: files that the assistant may search."
    )
    web_search = models.BooleanField(
        default=False, help_text="The assistant may search the web; OpenAI charges for each search."
    )
    client_tools = models.JSONField(
        default=list,
        blank=True,
        help_text="Functions of the tenant's page that the assistant may call: name, description, parameters (JSON schema).",
    )
    ask_visitor = models.BooleanField(
        "may ask back", default=False, help_text="The assistant may put questions with choices to the visitor."
    )
    max_input_chars = models.PositiveIntegerField(
        "longest message (characters)",
        default=4000,
        validators=[MinValueValidator(1), MaxValueValidator(100_000)],
    )
    max_turns = models.PositiveSmallIntegerField(
        "most turns",
        default=8,
        validators=[MinValueValidator(1), MaxValueValidator(50)],
        help_text="Of model and tools, for one answer.",
    )
    max_output_tokens = models.PositiveIntegerField(
        "longest answer (tokens)",
        default=1500,
        validators=[MinValueValidator(16), MaxValueValidator(128_000)],
        help_text="In each turn.",
    )
    note = models.CharField(
        max_length=200, blank=True, validators=[refuse_secrets], help_text="What is new, for your team."
    )
    created_by = models.CharField(max_length=150, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["assistant", "-number"]
        verbose_name = "version of an assistant"
        verbose_name_plural = "versions of assistants"
        constraints = [
            models.UniqueConstraint(fields=["assistant", "number"], name="agent_number_once_per_assistant"),
            models.UniqueConstraint(
                fields=["assistant"], condition=Q(number__isnull=True), name="one_draft_per_assistant"
            ),
            models.CheckConstraint(
                condition=Q(number__isnull=True, published_at__isnull=True)
                | Q(number__isnull=False, published_at__isnull=False),
                name="numbered_when_published",
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number}" if self.number else "draft"

    @property
    def is_draft(self) -> bool:
        return self.number is None
