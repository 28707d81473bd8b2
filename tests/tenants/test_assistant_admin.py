import pytest
from django.urls import reverse

from audit.models import AuditEvent
from key_health.models import CheckPlan
from tenants.models import Assistant, AssistantKey, Verdict
from tests.tenants.cast import give_assistant, give_key, register
from tests.tenants.forms import errors_of, filled, posted

pytestmark = pytest.mark.django_db


def add_url(tenant):
    return f"{reverse('admin:tenants_assistant_add')}?tenant={tenant.pk}"


def page_of(assistant):
    return reverse("admin:tenants_assistant_change", args=[assistant.pk])


@pytest.fixture
def tenant(db):
    return register()


def add(console, tenant, **fields):
    return posted(console, add_url(tenant), **{"name": "Help", "slug": "help", "workflow_id": "wf_1", **fields})


def test_the_first_assistant_is_the_default_and_takes_the_oldest_key(console, tenant):
    key = give_key(tenant)
    give_key(tenant, label="second")

    answer = add(console, tenant)

    assistant = Assistant.objects.get()
    assert answer.url == reverse("admin:tenants_tenant_change", args=[tenant.pk])
    assert assistant.is_default
    assert AssistantKey.objects.get().key == key
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"assistant:created", "pair:added"} <= actions


def test_another_default_takes_the_flag_and_the_default_can_not_be_unticked(console, tenant):
    first = give_assistant(tenant, slug="first")

    add(console, tenant, is_default="on")
    first.refresh_from_db()
    assert AuditEvent.objects.get(action="assistant:changed").subject_id == str(first.pk)
    help_ = Assistant.objects.get(slug="help")
    answer = posted(console, page_of(help_), is_default=None)

    assert (first.is_default, help_.is_default) == (False, True)
    assert "make another one the default" in errors_of(answer)


@pytest.mark.parametrize(
    ("fields", "cure"),
    [
        ({"workflow_version": "latest"}, "leave it empty for the newest"),
        ({"workflow_version": "LATEST"}, "leave it empty for the newest"),
        ({"workflow_version": "Latest"}, "leave it empty for the newest"),
        ({"workflow_id": "68ee92"}, "starts with “wf_”"),
        ({"accent": "red"}, "#rrggbb"),
        ({"accent": "#12345g"}, "#rrggbb"),
        ({"expires_after": "601"}, "600"),
        ({"slug": "Help Desk"}, "slug"),
        ({"slug": "-"}, "the first a letter or a digit"),
        ({"prompt_lines": "\n".join("abcdefg")}, "at most 6"),
        ({"prompt_lines": "x" * 61}, "1 to 60"),
        ({"prompt_lines": "Label |"}, "1 to 500"),
    ],
)
def test_what_would_fail_later_is_refused_now(console, tenant, fields, cure):
    answer = add(console, tenant, **fields)

    assert cure in errors_of(answer)
    assert not Assistant.objects.exists()


def test_a_slug_is_used_once_in_a_tenant_and_again_in_another(console, tenant):
    give_assistant(tenant, slug="help")
    give_assistant(register("Birch"), slug="desk")

    assert "already exists" in errors_of(add(console, tenant))
    assert add(console, tenant, slug="desk").status_code == 302


def test_prompts_are_typed_as_lines(console, tenant):
    add(console, tenant, prompt_lines="Hours | When are you open?\n\n  Delivery  \nA | b | c")

    assistant = Assistant.objects.get()
    assert assistant.prompts == [
        {"label": "Hours", "prompt": "When are you open?"},
        {"label": "Delivery", "prompt": "Delivery"},
        {"label": "A", "prompt": "b | c"},
    ]
    shown = console.get(page_of(assistant)).context["adminform"].form["prompt_lines"].value()
    assert shown == "Hours | When are you open?\nDelivery\nA | b | c"


def test_saving_without_a_change_leaves_no_event(console, tenant):
    assistant = give_assistant(
        tenant, prompts=[{"label": "Hours", "prompt": "When?"}, {"label": "Delivery", "prompt": "How?"}]
    )
    before = AuditEvent.objects.count()

    answer = posted(console, page_of(assistant), prompt_lines="Hours | When?\r\nDelivery|How?\r\n")

    assert answer.status_code == 302
    assert AuditEvent.objects.count() == before


def test_what_somebody_else_changed_meanwhile_is_not_changed_back(console, tenant):
    assistant = give_assistant(tenant, greeting="Hello")
    stale = filled(console, page_of(assistant))
    posted(console, page_of(assistant), greeting="Good day", prompt_lines="Hours")

    answer = console.post(page_of(assistant), {**stale, "placeholder": "Ask"})
    page = console.get(page_of(assistant)).content.decode()

    assert "Somebody changed this meanwhile: Greeting, Prompts." in errors_of(answer)
    assert Assistant.objects.values_list("greeting", "placeholder").get() == ("Good day", "")
    assert 'name="seen"' in page


def test_the_key_that_somebody_else_gave_meanwhile_is_not_taken_back(console, tenant):
    first, second = give_key(tenant), give_key(tenant, label="second")
    assistant = give_assistant(tenant, first)
    stale = filled(console, page_of(assistant))
    posted(console, page_of(assistant), ranked_keys__0__key=str(second.pk))

    answer = console.post(page_of(assistant), stale)

    assert "Somebody changed this meanwhile: Key." in errors_of(answer)
    assert AssistantKey.objects.get().key == second
    assert 'name="ranked_keys-0-seen"' in console.get(page_of(assistant)).content.decode()


def test_only_keys_of_the_tenant_that_are_in_use_can_be_chosen(console, tenant):
    mine, foreign = give_key(tenant), give_key(register("Birch"))

    offered = console.get(add_url(tenant)).content.decode()
    answer = add(console, tenant, ranked_keys__0__key=str(foreign.pk), ranked_keys__0__position="1")

    assert str(mine.pk) in offered
    assert str(foreign.pk) not in offered
    assert answer.status_code == 200
    assert not AssistantKey.objects.exists()


def test_keys_are_ranked_and_each_pair_shows_its_state(console, tenant):
    first, second = give_key(tenant), give_key(tenant, label="second")
    assistant = give_assistant(tenant, first)
    AssistantKey.objects.update(verdict=Verdict.WORKFLOW_MISSING)

    page = console.get(page_of(assistant)).content.decode()
    posted(
        console,
        page_of(assistant),
        ranked_keys__TOTAL_FORMS=2,
        ranked_keys__0__position="2",
        ranked_keys__1__key=str(second.pk),
        ranked_keys__1__position="1",
    )

    assert "workflow not found" in page
    assert [pair.key for pair in assistant.ranked_keys.order_by("position")] == [second, first]
    assert AssistantKey.objects.get(key=first).verdict == Verdict.WORKFLOW_MISSING


def test_another_workflow_makes_what_was_found_void(console, tenant):
    assistant = give_assistant(tenant, give_key(tenant))
    AssistantKey.objects.update(verdict=Verdict.WORKFLOW_MISSING)

    posted(console, page_of(assistant), workflow_id="wf_2")

    assert AssistantKey.objects.get().verdict == Verdict.UNCHECKED
    values = AuditEvent.objects.get(action="assistant:changed").changes["values"]
    assert values == {"workflow_id": {"old": "wf_1", "new": "wf_2"}}


def test_a_pair_that_takes_another_key_is_checked_with_that_one_only(console, tenant):
    first, second = give_key(tenant, label="first"), give_key(tenant, label="second")
    assistant = give_assistant(tenant, first)

    posted(console, page_of(assistant), ranked_keys__0__key=str(second.pk))

    plans = CheckPlan.objects.filter(assistant=assistant)
    assert [plan.key_id for plan in plans] == [second.pk]


def test_deleting_says_what_goes_and_passes_the_default_on(console, tenant):
    first = give_assistant(tenant, give_key(tenant), slug="first")
    give_assistant(tenant, slug="second")
    delete = reverse("admin:tenants_assistant_delete", args=[first.pk])

    page = console.get(delete).content.decode()
    console.post(delete, {"post": "yes"})

    assert "ledger of its sessions" in page
    assert Assistant.objects.get().slug == "second"
    assert Assistant.objects.get().is_default
    assert AuditEvent.objects.filter(action="assistant:deleted").count() == 1


def test_the_list_asks_the_database_the_same_number_of_times_however_long_it_is(console, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    url = reverse("admin:tenants_assistant_changelist")
    cedar = register("Cedar")
    give_assistant(cedar, give_key(cedar), slug="one")
    console.get(url)
    with CaptureQueriesContext(connection) as few:
        console.get(url)
    for number in range(20):
        tenant = register(f"Tenant {number}", slug=f"t{number}")
        give_assistant(tenant, give_key(tenant))

    with django_assert_num_queries(len(few)):
        console.get(url)


def test_types_of_files_are_chosen_from_a_list_and_audited(console, tenant):
    add(console, tenant)
    assistant = Assistant.objects.get()

    posted(console, page_of(assistant), accepted_file_types=["image/png", "text/csv"])
    refused = posted(console, page_of(assistant), accepted_file_types=["text/html"])

    assistant.refresh_from_db()
    assert assistant.accepted_file_types == ["image/png", "text/csv"]
    changes = AuditEvent.objects.filter(action="assistant:changed").latest("pk").changes
    assert changes["values"]["accepted_file_types"]["new"] == ["image/png", "text/csv"]
    assert "text/html is not one of the available choices" in errors_of(refused)
