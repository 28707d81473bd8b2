"""Who answers for an assistant is switched, with conditions that name the cure; and switched back."""

import io
import json
from datetime import date

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import AuditEvent
from audit.record import SYSTEM, Actor
from sessions_api.models import LiveSession
from tenants.domains import allow_domain
from tenants.keys import retire_key
from tenants.models import AllowedDomain, ApiKey, Assistant, AssistantKey, ConfigEpoch, Verdict
from tenants.states import start_deletion
from tenants.switch import SwitchRefused, prepare_switch, switch_back, switch_backend, switch_many, would_switch
from tenants.versions import VERSIONS, publish
from tests.tenants.cast import give_assistant, give_chat, give_key, give_version, register

pytestmark = pytest.mark.django_db
GRACE = Actor("grace")


@pytest.fixture
def tenant():
    return register()


@pytest.fixture
def assistant(tenant):
    """A hosted one that is ready to be switched."""
    made = give_assistant(tenant, give_key(tenant))
    give_version(made)
    made.refresh_from_db()
    return made


def switch(assistant, to="platform"):
    return switch_backend(assistant=assistant, to=to, actor=GRACE)


def test_a_prepared_assistant_is_switched(assistant):
    before, epoch = assistant.credential_epoch, ConfigEpoch.current()

    done = switch(assistant)

    assistant.refresh_from_db()
    assert done.outcome == "switched"
    assert (assistant.backend, assistant.previous_backend) == ("platform", "hosted_workflow")
    assert assistant.credential_epoch == before + 1
    assert assistant.workflow_id == "wf_1"
    assert ConfigEpoch.current() > epoch
    event = AuditEvent.objects.get(action="assistant:backend_switched")
    assert (event.actor, event.subject_id) == ("grace", str(assistant.pk))
    assert event.changes["values"]["backend"] == {"old": "hosted_workflow", "new": "platform"}


def test_to_switch_twice_is_as_good_as_once(assistant):
    switch(assistant)
    before = AuditEvent.objects.count()

    done = switch(assistant)

    assistant.refresh_from_db()
    assert (done.outcome, assistant.credential_epoch, AuditEvent.objects.count()) == ("unchanged", 1, before)


def test_switching_back_ends_the_chats_of_the_platform_and_finds_the_workflow_again(assistant):
    switch(assistant)
    AssistantKey.objects.update(verdict=Verdict.MODEL_MISSING)
    assistant.refresh_from_db()

    done = switch_back(assistant=assistant, actor=GRACE)

    assistant.refresh_from_db()
    assert (done.outcome, assistant.backend, assistant.credential_epoch) == ("switched", "hosted_workflow", 2)
    assert AssistantKey.objects.get().verdict == Verdict.UNCHECKED
    assert assistant.published_version is not None


def test_live_sessions_at_openai_are_withdrawn_and_no_others(assistant):
    other = give_assistant(assistant.tenant, slug="other", workflow_id="wf_2")
    for each in (assistant, other):
        LiveSession.objects.create(
            session_id=f"cksess_{each.slug}",
            tenant=assistant.tenant,
            key=ApiKey.objects.get(),
            assistant_id=each.pk,
            visitor_ref="a" * 32,
            granted_at=timezone.now(),
            expires_at=timezone.now() + timezone.timedelta(minutes=5),
        )

    switch(assistant)

    assert list(LiveSession.objects.exclude(cancel_requested_at=None).values_list("assistant_id", "cancel_reason")) == [
        (assistant.pk, "backend_switched")
    ]


def nothing_published(assistant):
    Assistant.objects.filter(pk=assistant.pk).update(published_version=None)


def no_key(assistant):
    retire_key(key=ApiKey.objects.get(), actor=SYSTEM)


def refused_key(assistant):
    ApiKey.objects.update(verdict=Verdict.BILLING)


def no_model(assistant):
    AssistantKey.objects.update(verdict=Verdict.MODEL_MISSING)


def being_deleted(assistant):
    start_deletion(tenant=assistant.tenant, actor=SYSTEM)


@pytest.mark.parametrize(
    ("spoil", "cure"),
    [
        (nothing_published, "publish it"),
        (no_key, "Add one on the tenant's page"),
        (refused_key, "adds credit"),
        (no_model, "Publish a version with a model"),
        (being_deleted, "being deleted"),
    ],
)
def test_what_could_not_answer_is_not_switched(assistant, spoil, cure):
    spoil(assistant)

    with pytest.raises(SwitchRefused, match=cure):
        switch(assistant)

    assistant.refresh_from_db()
    assert (assistant.backend, assistant.credential_epoch) == ("hosted_workflow", 0)
    assert not AuditEvent.objects.filter(action="assistant:backend_switched").exists()


def test_a_workflow_that_is_gone_is_the_reason_to_switch_and_no_obstacle(assistant):
    AssistantKey.objects.update(verdict=Verdict.WORKFLOW_MISSING)

    assert switch(assistant).outcome == "switched"


def test_one_key_that_works_is_enough(assistant):
    refused_key(assistant)
    AssistantKey.objects.create(assistant=assistant, key=give_key(assistant.tenant, label="second"), position=2)

    assert switch(assistant).outcome == "switched"


def test_websites_that_openai_does_not_know_yet_are_a_warning(assistant):
    for text in ("https://shop.example", "https://*.shop.example", "https://ready.example"):
        allow_domain(tenant=assistant.tenant, text=text, actor=SYSTEM)
    AllowedDomain.objects.filter(host="ready.example").update(
        domain_key="domain_pk_1", listed_at_openai=date(2026, 11, 1)
    )

    done = switch(assistant)

    [warning] = [each for each in done.warnings if "list of websites" in each]
    assert done.outcome == "switched"
    assert "https://shop.example" in warning
    assert "https://*.shop.example" in warning
    assert "ready.example" not in warning


def test_what_never_had_a_workflow_can_not_become_hosted(tenant):
    chat = give_chat(tenant, give_key(tenant))

    with pytest.raises(SwitchRefused, match="Enter its ID"):
        switch(chat, "hosted_workflow")
    with pytest.raises(SwitchRefused, match="never switched"):
        switch_back(assistant=chat, actor=GRACE)


def test_many_are_switched_each_by_itself(tenant, assistant):
    unready = give_assistant(tenant, slug="unready", workflow_id="wf_2")
    done_before = give_chat(tenant, ApiKey.objects.get(), slug="done")
    gone = give_assistant(tenant, slug="gone", workflow_id="wf_3")
    ids = [unready.pk, assistant.pk, done_before.pk, gone.pk]
    gone.delete()

    told = list(switch_many(assistant_ids=ids, to="platform", actor=GRACE))

    assert [each.outcome for each in told] == ["refused", "switched", "unchanged", "refused"]
    assert [each.assistant_id for each in told] == ids
    assert "publish it" in " ".join(told[0].reasons)


def test_preparing_makes_one_draft_that_can_be_published_and_touches_nothing_else(tenant):
    assistant = give_assistant(tenant, give_key(tenant))

    draft = prepare_switch(assistant=assistant, actor=GRACE)
    again = prepare_switch(assistant=assistant, actor=GRACE)

    assert draft == again
    assert "Alder" in draft.instructions
    assistant.refresh_from_db()
    assert (assistant.backend, assistant.published_version) == ("hosted_workflow", None)
    published = publish(assistant=assistant, actor=GRACE)
    assert prepare_switch(assistant=assistant, actor=GRACE) == published
    assert VERSIONS.draft_of(assistant) is None


def run(*arguments):
    out = io.StringIO()
    call_command("switch_backend", *arguments, stdout=out)
    return json.loads(out.getvalue())


ALDER = ("--tenant", "alder", "--assistant", "help", "--to", "platform")


def test_the_command_says_what_it_would_do_and_does_it(assistant):
    would = run(*ALDER, "--dry-run")
    assistant.refresh_from_db()
    before = assistant.backend

    done = run(*ALDER)

    assistant.refresh_from_db()
    assert (would["outcome"], before, done["outcome"], assistant.backend) == (
        *("switched", "hosted_workflow"),
        *("switched", "platform"),
    )
    assert would_switch(assistant, "platform").outcome == run(*ALDER)["outcome"] == "unchanged"


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (ALDER, "publish it"),
        (("--tenant", "nobody", *ALDER[2:]), "list of tenants"),
        ((*ALDER[:3], "none", *ALDER[4:]), "It has: help"),
    ],
)
def test_the_command_refuses_with_the_cure(tenant, arguments, cure):
    give_assistant(tenant, give_key(tenant))

    with pytest.raises(CommandError, match=cure):
        run(*arguments)
