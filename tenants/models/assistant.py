"""What a visitor talks to, and which keys it may use."""

import uuid
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from tenants.file_types import validate_file_types
from tenants.models.epoch import ObservedModel
from tenants.models.key import CONDEMNED, ApiKey, Verdict
from tenants.models.tenant import Tenant, refuse_secrets, validate_lower_case
from tenants.prompts import validate_prompts


class Backend(models.TextChoices):
    HOSTED_WORKFLOW = "hosted_workflow", "hosted workflow at OpenAI"
    PLATFORM = "platform", "this platform, with the tenant's key"


class ColorScheme(models.TextChoices):
    AUTO = "auto", "as the visitor's system"
    LIGHT = "light", "light"
    DARK = "dark", "dark"


class LauncherSide(models.TextChoices):
    RIGHT = "right", "bottom right"
    LEFT = "left", "bottom left"


class Assistant(ObservedModel):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="assistants")
    name = models.CharField(max_length=80, validators=[refuse_secrets], help_text="Shown as the title of the chat.")
    slug = models.SlugField(
        max_length=60,
        validators=[validate_lower_case],
        help_text="Names this assistant in the snippet, by data-assistant=“…”. Lower-case letters, digits, hyphens, underscores.",
    )
    is_default = models.BooleanField(
        "default assistant", default=False, help_text="Answers where the snippet names no assistant."
    )
    backend = models.CharField(
        max_length=20,
        choices=Backend.choices,
        default=Backend.HOSTED_WORKFLOW,
        help_text="Who answers. The tenant's snippet is the same for both.",
    )
    # What it was before it was switched, for the way back.
    previous_backend = models.CharField(max_length=20, choices=Backend.choices, blank=True, editable=False)
    published_version = models.ForeignKey(
        "AgentVersion", on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    credential_epoch = models.PositiveIntegerField(
        default=0, editable=False, help_text="Raising it ends every chat of this assistant that the platform serves."
    )
    workflow_id = models.CharField(
        "workflow ID",
        max_length=128,
        blank=True,
        validators=[RegexValidator(r"^wf_[A-Za-z0-9_-]+\Z", "A workflow ID starts with “wf_” and has no blanks.")],
        help_text="“wf_…”, from Agent Builder → your workflow → Publish. It must belong to the same project as the key. "
        "Only for the hosted backend.",
    )
    workflow_version = models.CharField(
        max_length=64,
        blank=True,
        validators=[
            RegexValidator(
                r"^(?!(?i:latest)\Z)[A-Za-z0-9_.-]+\Z",
                "Give a published version number, or leave it empty for the newest. “latest” is accepted by OpenAI "
                "and then fails at the first message.",
            )
        ],
        help_text="Pins a published version. Empty: the version deployed last.",
    )
    keys: "models.ManyToManyField[ApiKey, Any]" = models.ManyToManyField(
        ApiKey, through="AssistantKey", related_name="assistants"
    )

    expires_after = models.PositiveSmallIntegerField(
        "session lifetime (s)",
        default=600,
        validators=[MinValueValidator(1), MaxValueValidator(600)],
        help_text="1 to 600 seconds; the page renews by itself.",
    )
    max_requests_per_minute = models.PositiveSmallIntegerField(
        "messages per minute",
        default=10,
        validators=[MinValueValidator(1)],
        help_text="Per session, enforced by OpenAI.",
    )
    history_enabled = models.BooleanField("show history", default=True, help_text="The visitor sees earlier chats.")
    recent_threads = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="How many earlier chats. Empty: all."
    )
    file_upload_enabled = models.BooleanField("allow uploads", default=False)
    max_files = models.PositiveSmallIntegerField(
        default=10, validators=[MinValueValidator(1)], help_text="Files per message, where uploads are allowed."
    )
    max_file_size_mb = models.PositiveSmallIntegerField(
        "largest file (MB)", default=20, validators=[MinValueValidator(1), MaxValueValidator(512)]
    )
    accepted_file_types = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_file_types],
        help_text="Only of assistants that this platform serves. None chosen: images, PDF, text, CSV and Markdown.",
    )
    automatic_titles = models.BooleanField(default=True, help_text="OpenAI names the threads.")
    tracing = models.BooleanField(default=True, help_text="Runs appear in the tenant's traces at OpenAI.")

    greeting = models.CharField(max_length=120, blank=True, help_text="First words of an empty chat.")
    prompts = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_prompts],
        help_text="Up to 6 buttons: a label and the message it sends.",
    )
    placeholder = models.CharField(max_length=120, blank=True, help_text="Grey text in the message box.")
    color_scheme = models.CharField(
        "colour scheme", max_length=5, choices=ColorScheme.choices, default=ColorScheme.AUTO
    )
    accent = models.CharField(
        "accent colour",
        max_length=7,
        blank=True,
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}\Z", "A colour as #rrggbb.")],
        help_text="As #rrggbb. Empty: ChatKit's own.",
    )
    launcher_side = models.CharField(max_length=5, choices=LauncherSide.choices, default=LauncherSide.RIGHT)
    launcher_label = models.CharField(max_length=40, blank=True, help_text="Beside the button. Empty: an icon only.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["tenant", "slug"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "slug"], name="assistant_slug_once_per_tenant"),
            models.UniqueConstraint(
                fields=["tenant"],
                condition=Q(is_default=True),
                name="one_default_assistant_per_tenant",
                violation_error_message="Another assistant of this tenant is the default already.",
            ),
            models.CheckConstraint(
                condition=~Q(backend=Backend.HOSTED_WORKFLOW) | ~Q(workflow_id=""),
                name="hosted_assistant_has_a_workflow",
                violation_error_message="A hosted assistant needs the ID of its workflow: “wf_…”.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        # The database says so, too; here the error stands at the field.
        if self.backend == Backend.HOSTED_WORKFLOW and not self.workflow_id:
            raise ValidationError(
                {
                    "workflow_id": "A hosted assistant needs the ID of its workflow: “wf_…”. Without one, choose the backend "
                    "“this platform”."
                }
            )


class AssistantKey(ObservedModel):
    """A key that an assistant may use, in which order, and the verdict on the pair.

    A missing workflow condemns a pair, never a key.

    That key and assistant belong to one tenant is enforced by triggers (migration 0002), not only here.
    """

    assistant = models.ForeignKey(Assistant, on_delete=models.CASCADE, related_name="ranked_keys")
    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="pairs")
    position = models.PositiveSmallIntegerField(default=1, help_text="1 is tried first.")
    verdict = models.CharField(max_length=20, choices=Verdict.choices, default=Verdict.UNCHECKED, editable=False)
    verdict_since = models.DateTimeField(default=timezone.now, editable=False)
    checked_at = models.DateTimeField(null=True, editable=False)

    unobserved: ClassVar[frozenset[str]] = frozenset({"checked_at"})

    class Meta:
        ordering = ["assistant", "position"]
        verbose_name = "key of the assistant"
        verbose_name_plural = "keys of the assistant"
        constraints = [
            models.UniqueConstraint(fields=["assistant", "key"], name="key_once_per_assistant"),
        ]

    def __str__(self) -> str:
        return f"{self.assistant} with {self.key}"

    @property
    def is_condemned(self) -> bool:
        return self.verdict in CONDEMNED
