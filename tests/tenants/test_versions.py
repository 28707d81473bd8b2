"""Draft → publish → roll back of what an assistant of the platform's own backend is."""

import pytest
from django.core.exceptions import ValidationError

from audit.models import AuditEvent
from audit.record import SYSTEM, Actor
from tenants.agents import load_agent_version
from tenants.models import AgentVersion, AssistantKey, ConfigEpoch, Verdict
from tenants.versioning import NoSuchVersion
from tenants.versions import VERSIONS, publish, roll_back, save_draft
from tests.tenants.cast import give_assistant, give_chat, give_key, register

pytestmark = pytest.mark.django_db
GRACE = Actor("grace")
TOOL = {
    "name": "show_cart",
    "description": "Opens the visitor's cart.",
    "parameters": {"type": "object", "properties": {"highlight": {"type": "string"}}},
}


@pytest.fixture
def assistant():
    return give_chat(register())


def draft(assistant, **values):
    return save_draft(assistant=assistant, values=values, actor=GRACE)


def test_a_draft_begins_as_the_published_version_and_nobody_meets_it(assistant):
    before = assistant.published_version

    begun = draft(assistant, instructions="Be brief.")

    assert begun.is_draft
    assert (begun.model, begun.instructions) == (before.model, "Be brief.")
    assistant.refresh_from_db()
    assert assistant.published_version == before
    before.refresh_from_db()
    assert before.instructions != "Be brief."


def test_there_is_one_draft_whoever_writes_into_it(assistant):
    first = draft(assistant, instructions="Be brief.")
    second = draft(assistant, web_search=True)

    assert first == second
    assert (second.instructions, second.web_search, second.created_by) == ("Be brief.", True, "grace")


def test_publishing_gives_the_next_number_and_leaves_no_draft(assistant):
    draft(assistant, instructions="Be brief.")

    published = publish(assistant=assistant, actor=GRACE, note="shorter")

    assert (published.number, published.note, published.created_by) == (2, "shorter", "grace")
    assert published.published_at is not None
    assistant.refresh_from_db()
    assert assistant.published_version == published
    assert VERSIONS.draft_of(assistant) is None


def test_nothing_can_be_published_without_a_draft(assistant):
    with pytest.raises(NoSuchVersion, match="Write one first"):
        publish(assistant=assistant, actor=GRACE)


def test_rolling_back_moves_only_what_counts_and_can_be_undone(assistant):
    draft(assistant, instructions="Be brief.")
    publish(assistant=assistant, actor=GRACE)

    roll_back(assistant=assistant, number=1, actor=GRACE)
    assistant.refresh_from_db()
    first = assistant.published_version.number
    roll_back(assistant=assistant, number=2, actor=GRACE)
    roll_back(assistant=assistant, number=2, actor=GRACE)
    assistant.refresh_from_db()

    assert (first, assistant.published_version.number) == (1, 2)
    assert AgentVersion.objects.count() == 2
    assert AuditEvent.objects.filter(action="version:rolled_back").count() == 2


def test_after_going_back_the_next_version_has_a_number_of_its_own(assistant):
    draft(assistant, instructions="Be brief.")
    publish(assistant=assistant, actor=GRACE)
    roll_back(assistant=assistant, number=1, actor=GRACE)
    draft(assistant, instructions="Be long.")

    assert publish(assistant=assistant, actor=GRACE).number == 3


def test_what_was_never_published_can_not_be_gone_back_to(assistant):
    other = give_chat(register("Birch"))
    draft(other, instructions="Be brief.")
    publish(assistant=other, actor=GRACE)

    with pytest.raises(NoSuchVersion, match="no version 2"):
        roll_back(assistant=assistant, number=2, actor=GRACE)


def test_every_deed_is_audited_and_effective_everywhere(assistant):
    epochs = [ConfigEpoch.current()]
    draft(assistant, instructions="Be brief.", model="gpt-sandbox-mini")
    epochs.append(ConfigEpoch.current())
    publish(assistant=assistant, actor=GRACE)
    epochs.append(ConfigEpoch.current())
    roll_back(assistant=assistant, number=1, actor=GRACE)
    epochs.append(ConfigEpoch.current())

    assert epochs == sorted(set(epochs))
    events = AuditEvent.objects.filter(actor="grace").order_by("seq")
    assert [event.action for event in events] == ["version:drafted", "version:published", "version:rolled_back"]
    assert {event.subject_id for event in events} == {str(assistant.pk)}
    assert events[0].changes["values"]["model"] == {"old": None, "new": "gpt-sandbox-mini"}
    assert "Be brief." not in str([event.changes for event in events])
    assert events[2].changes["values"]["published_version"] == {"old": 2, "new": 1}


def test_saving_the_same_again_leaves_no_event(assistant):
    draft(assistant, instructions="Be brief.")
    before = AuditEvent.objects.count()

    draft(assistant, instructions="Be brief.")

    assert AuditEvent.objects.count() == before


def test_another_model_is_checked_anew():
    tenant = register()
    assistant = give_chat(tenant, give_key(tenant))
    AssistantKey.objects.update(verdict=Verdict.MODEL_MISSING)
    draft(assistant, instructions="Be brief.")
    publish(assistant=assistant, actor=GRACE)
    same = AssistantKey.objects.get().verdict
    draft(assistant, model="gpt-sandbox-mini")

    publish(assistant=assistant, actor=GRACE)

    assert (same, AssistantKey.objects.get().verdict) == (Verdict.MODEL_MISSING, Verdict.UNCHECKED)


def test_any_version_can_be_loaded_by_its_id_and_by_its_assistant_only(assistant):
    other = give_assistant(assistant.tenant, slug="other")
    begun = draft(assistant, instructions="Be brief.", client_tools=[TOOL])

    loaded = load_agent_version(assistant.id, begun.id)

    assert (loaded.instructions, loaded.number, loaded.client_tools) == ("Be brief.", None, (TOOL,))
    assert load_agent_version(other.id, begun.id) is None


BAD = [
    ({"instructions": " \n"}, "Say what the assistant is for"),
    ({"instructions": "Use sk-" + "abcdefgh12345678."}, "looks like a key"),
    ({"instructions": "x" * 32_001}, "32000"),
    ({"model": "a model"}, "no blanks"),
    ({"model": ""}, "cannot be blank"),
    ({"vector_store_ids": "vs_1"}, "a list of vector store IDs"),
    ({"vector_store_ids": ["file_1"]}, "starts with “vs_”"),
    ({"vector_store_ids": ["vs_1", "vs_1"]}, "named twice"),
    ({"vector_store_ids": [f"vs_{number}" for number in range(11)]}, "At most 10"),
    ({"client_tools": {}}, "Give a list"),
    ({"client_tools": [{"name": "a"}]}, "exactly “name”, “description” and “parameters”"),
    ({"client_tools": [{**TOOL, "name": "show cart"}]}, "1 to 64 letters"),
    ({"client_tools": [{**TOOL, "name": "file_search"}]}, "built-in tool"),
    ({"client_tools": [{**TOOL, "description": " "}]}, "when the model should call it"),
    ({"client_tools": [{**TOOL, "parameters": {"type": "string"}}]}, "JSON schema of an object"),
    ({"client_tools": [{**TOOL, "parameters": {"type": "object", "properties": []}}]}, "one entry for each"),
    ({"client_tools": [{**TOOL, "parameters": {"type": "object", "title": "x" * 9000}}]}, "longer than 8 KiB"),
    ({"client_tools": [TOOL, TOOL]}, "Two functions are called"),
    ({"client_tools": [{**TOOL, "name": f"f{number}"} for number in range(21)]}, "At most 20"),
    ({"max_turns": 51}, "50"),
    ({"max_input_chars": 0}, "1"),
    ({"colour": "red"}, "has no colour"),
]


@pytest.mark.parametrize(("values", "cure"), BAD)
def test_what_could_not_answer_is_refused_with_the_cure(assistant, values, cure):
    with pytest.raises(ValidationError) as refusal:
        draft(assistant, **values)

    assert cure in " ".join(refusal.value.messages)
    assert VERSIONS.draft_of(assistant) is None


def test_what_differs_is_said_field_by_field(assistant):
    begun = draft(assistant, instructions="Be brief.", web_search=True)

    differences = VERSIONS.differences(assistant.published_version, begun)

    assert [(each.field, each.new) for each in differences] == [("instructions", "Be brief."), ("web_search", True)]


def test_a_version_goes_with_its_assistant_and_can_not_be_shared(assistant):
    other = give_assistant(assistant.tenant, slug="other", workflow_id="wf_2")

    with pytest.raises(NoSuchVersion):
        roll_back(assistant=other, number=1, actor=SYSTEM)
