"""`manage.py erase_visitor`: wants a yes, does the work itself when told so, and says what is not done."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from sandbox.testing import Sandbox
from tenants.models import ApiKey
from tests.key_health.cast import Customer
from tests.sessions_api.erasure_cast import come, let_time_pass, users, visit
from tests.sessions_api.upstream_sessions import chat

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_command_wants_a_yes_erases_and_prints_the_certificate(sandbox: Sandbox, alder: Customer) -> None:
    ann = come(alder)
    visit(sandbox, alder, ann)
    chat(sandbox, alder, user=ann.user)
    sandbox.expire_sessions()
    out, err = StringIO(), StringIO()

    with pytest.raises(CommandError, match="Add --yes"):
        call_command("erase_visitor", tenant="alder", ref=ann.ref)
    untouched = len(users(sandbox))
    call_command("erase_visitor", tenant="alder", ref=ann.ref, yes=True, wait=30, stdout=out, stderr=err)

    assert untouched == 1
    assert users(sandbox) == []
    assert json.loads(out.getvalue())["certificate"]["complete"]


def test_the_command_says_by_its_exit_code_what_is_not_done(sandbox: Sandbox, alder: Customer) -> None:
    ann = come(alder)
    sandbox.set_host("down")

    with pytest.raises(SystemExit) as late:
        call_command("erase_visitor", tenant="alder", ref=ann.ref, yes=True, wait=1, stderr=StringIO())
    sandbox.set_host("up")
    ApiKey.objects.update(organization="org 1")
    let_time_pass()
    with pytest.raises(SystemExit) as missed:
        call_command(
            "erase_visitor", tenant="alder", user=ann.user, yes=True, wait=10, stdout=StringIO(), stderr=StringIO()
        )

    assert (late.value.code, missed.value.code) == (1, 3)


def test_the_command_names_the_cure_for_a_slug_or_a_reference_that_nobody_has(alder: Customer) -> None:
    with pytest.raises(CommandError, match="admin's list"):
        call_command("erase_visitor", tenant="oak", ref="a" * 32)
    with pytest.raises(CommandError, match="mistyped"):
        call_command("erase_visitor", tenant="alder", ref="a" * 32, yes=True)
