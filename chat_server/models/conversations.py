"""What visitors and assistants said. Bodies are encrypted under the thread's own key (sealing.py): nobody reads them here."""

from typing import Any

from django.db import models

from tenants.models import Assistant, Tenant

ID_LENGTH = 40


def _file_path(attachment: Any, filename: str) -> str:
    """Never the visitor's own name of the file."""
    return f"chat/{attachment.tenant_id.hex}/{attachment.id}"


class Thread(models.Model):
    """One conversation of one visitor with one assistant. Whoever looks it up names tenant, assistant and visitor with the id."""

    id = models.CharField(max_length=ID_LENGTH, primary_key=True, help_text="“thr_” and 128 random bits in hex.")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="chat_threads")
    assistant = models.ForeignKey(Assistant, on_delete=models.CASCADE, related_name="chat_threads")
    visitor_ref = models.CharField(max_length=32, help_text="The visitor's name in the ledger.")
    key_token = models.TextField(editable=False, help_text="The sealed key of this conversation.")
    body = models.BinaryField(editable=False, help_text="Encrypted: title, status, metadata.")
    next_number = models.PositiveIntegerField(default=1, editable=False)
    # Whose turn it is to write an answer, and until when: see chat_server/turns.py.
    run_holder = models.CharField(max_length=32, blank=True, editable=False)
    run_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "conversation"
        indexes = [
            models.Index(fields=["tenant", "assistant", "visitor_ref", "-created_at"], name="chat_thread_of_visitor"),
            models.Index(fields=["tenant", "updated_at"], name="chat_thread_retention"),
        ]

    def __str__(self) -> str:
        return self.id


class ThreadItem(models.Model):
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="items", db_index=False)
    # Assistant messages carry the model provider's id, which is unique in a thread and nowhere else.
    item_id = models.CharField(max_length=128)
    number = models.PositiveIntegerField(help_text="Order in the thread.")
    kind = models.CharField(max_length=32)
    body = models.BinaryField(editable=False, help_text="Encrypted.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["thread", "number"]
        verbose_name = "part of a conversation"
        constraints = [
            models.UniqueConstraint(fields=["thread", "item_id"], name="chat_item_once_per_thread"),
            models.UniqueConstraint(fields=["thread", "number"], name="chat_item_order"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class AttachmentState(models.TextChoices):
    ANNOUNCED = "announced", "announced"
    STORED = "stored", "stored"


class Attachment(models.Model):
    id = models.CharField(max_length=ID_LENGTH, primary_key=True, help_text="“atc_” and 128 random bits in hex.")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="chat_attachments")
    assistant = models.ForeignKey(Assistant, on_delete=models.CASCADE, related_name="chat_attachments")
    visitor_ref = models.CharField(max_length=32)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, null=True, related_name="attachments")
    key_token = models.TextField(editable=False, help_text="The sealed key of this file.")
    body = models.BinaryField(editable=False, help_text="Encrypted: the file's name and what ChatKit keeps of it.")
    mime_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(help_text="Bytes, as announced; the file must have as many.")
    state = models.CharField(max_length=10, choices=AttachmentState.choices, default=AttachmentState.ANNOUNCED)
    file = models.FileField(upload_to=_file_path, blank=True, help_text="Encrypted under the same key.")
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "file of a conversation"
        indexes = [models.Index(fields=["tenant", "assistant", "visitor_ref"], name="chat_attachment_of_visitor")]

    def __str__(self) -> str:
        return self.id


class Feedback(models.Model):
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="feedback")
    item_id = models.CharField(max_length=128)
    kind = models.CharField(max_length=10)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at"]
        verbose_name_plural = "feedback"
        constraints = [models.UniqueConstraint(fields=["thread", "item_id"], name="chat_feedback_once_per_item")]

    def __str__(self) -> str:
        return self.kind
