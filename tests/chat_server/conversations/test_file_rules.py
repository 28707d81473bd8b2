"""Which files are taken: by type, size and name; and whether the bytes are what was announced."""

import pytest

from chat_server.file_rules import FileRefused, Sniffer, require_acceptable
from tenants.file_types import FILE_TYPES
from tenants.models import Assistant
from tenants.snapshot import AssistantSnapshot, load_snapshot
from tests.chat_server.conversations.talk import PNG, Talker

WEBP = b"RIFF\x00\x00\x00\x00WEBPVP8 "


def rules_of(talker: Talker, **fields: object) -> AssistantSnapshot:
    Assistant.objects.filter(pk=talker.assistant.pk).update(file_upload_enabled=True, **fields)
    snapshot = load_snapshot(talker.tenant.public_id)
    assert snapshot is not None
    found = snapshot.assistant_by_id(talker.assistant.pk)
    assert found is not None
    return found


@pytest.mark.django_db
@pytest.mark.parametrize("mime_type", FILE_TYPES)
def test_an_assistant_takes_all_types_unless_it_names_some(ann: Talker, mime_type: str) -> None:
    require_acceptable(rules_of(ann), name="a", mime_type=mime_type, size=1)

    chosen = rules_of(ann, accepted_file_types=["application/pdf"])
    if mime_type == "application/pdf":
        require_acceptable(chosen, name="a", mime_type=mime_type, size=1)
    else:
        with pytest.raises(FileRefused) as refused:
            require_acceptable(chosen, name="a", mime_type=mime_type, size=1)
        assert (refused.value.status, "application/pdf" in refused.value.message) == (415, True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ({"mime_type": "text/html"}, "file_type_not_accepted"),
        ({"mime_type": "image/svg+xml"}, "file_type_not_accepted"),
        ({"mime_type": "IMAGE/PNG"}, "file_type_not_accepted"),
        ({"size": 0}, "file_size"),
        ({"size": -1}, "file_size"),
        ({"size": 3 * 1024 * 1024 + 1}, "file_size"),
        ({"name": ""}, "file_name_length"),
        ({"name": "a" * 256}, "file_name_length"),
    ],
)
def test_what_is_not_taken_is_refused_with_the_reason(ann: Talker, file: dict[str, object], reason: str) -> None:
    assistant = rules_of(ann, max_file_size_mb=3)

    with pytest.raises(FileRefused) as refused:
        require_acceptable(assistant, **{"name": "a.png", "mime_type": "image/png", "size": 1, **file})  # type: ignore[arg-type]

    assert refused.value.reason == reason
    assert "a.png" not in refused.value.message


@pytest.mark.django_db
def test_the_sites_limit_holds_over_an_assistants_and_an_assistant_may_take_none(ann: Talker, settings: object) -> None:
    settings.CHAT_MAX_FILE_MB = 1  # type: ignore[attr-defined]
    assistant = rules_of(ann, max_file_size_mb=512)

    with pytest.raises(FileRefused, match="body_too_large"):
        require_acceptable(assistant, name="a", mime_type="image/png", size=1024 * 1024 + 1)
    none = load_without_uploads(ann)
    with pytest.raises(FileRefused) as refused:
        require_acceptable(none, name="a", mime_type="image/png", size=1)
    assert refused.value.reason == "files_off"


def load_without_uploads(talker: Talker) -> AssistantSnapshot:
    rules_of(talker)
    Assistant.objects.update(file_upload_enabled=False)
    snapshot = load_snapshot(talker.tenant.public_id)
    assert snapshot is not None
    found = snapshot.assistant_by_id(talker.assistant.pk)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("mime_type", "data", "is_of_type"),
    [
        ("image/png", PNG, True),
        ("image/png", b"\x89PNG", False),
        ("image/png", b"", False),
        ("image/png", b"<html>", False),
        ("image/jpeg", b"\xff\xd8\xff\xe0JFIF", True),
        ("image/jpeg", PNG, False),
        ("image/gif", b"GIF89a....", True),
        ("image/gif", b"GIF88a....", False),
        ("image/webp", WEBP, True),
        ("image/webp", b"RIFF\x00\x00\x00\x00WAVE", False),
        ("application/pdf", b"%PDF-1.7\n", True),
        ("application/pdf", b"\n%PDF-1.7\n", False),
        ("text/plain", "Grüße".encode(), True),
        ("text/plain", "Grüße".encode("latin1"), False),
        ("text/plain", "Grüße".encode()[:-1] + b"\xc3", False),
        ("text/plain", b"a\x00b", False),
        ("text/csv", b"a;b\n1;2\n", True),
        ("text/csv", PNG, False),
        ("text/markdown", b"# A title", True),
        ("text/html", b"<html>", False),
    ],
)
@pytest.mark.parametrize("length", [1, 3, 10_000])
def test_bytes_are_held_against_the_announced_type_however_they_come(
    mime_type: str, data: bytes, is_of_type: bool, length: int
) -> None:
    sniffer = Sniffer(mime_type)
    for begin in range(0, len(data), length):
        sniffer.look_at(data[begin : begin + length])

    assert sniffer.is_of_type() is is_of_type
