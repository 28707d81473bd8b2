"""The console and the operations API while the database is away: 503 that says so, on every way through the stock door."""

import json
import re
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client, RequestFactory

from audit.record import SYSTEM
from config.server_errors import server_error
from gateway.models import OpsScope
from gateway.ops_tokens import issue_ops_token
from tests.database_proxy import running_proxy
from tests.platform_server import running_platform

NAME, PASSWORD = "ada", "a long sentence that nobody guesses"
RECOVERY_SECONDS = 6.0


def raised(error: BaseException):
    """The request's answer as Django asks for it: while the error is being handled."""
    request = RequestFactory().get("/admin/tenants/?q=1")
    try:
        raise error
    except BaseException:
        return server_error(request)


def over(first: BaseException, second: BaseException) -> BaseException:
    try:
        try:
            raise first
        except BaseException:
            raise second  # noqa: B904 (that is what is tested)
    except BaseException as error:
        return error


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OperationalError("couldn't get a connection after 5.00 sec"), 503),
        (InterfaceError("connection already closed"), 503),
        (over(OperationalError("server closed the connection"), ValueError("over it")), 503),
        (ValueError("ours"), 500),
    ],
)
def test_only_a_database_that_does_not_answer_is_worth_another_try(error, status):
    answer = raised(error)

    assert answer.status_code == status
    assert ("Retry-After" in answer) is (status == 503)
    assert answer["Cache-Control"] == "no-store"


def test_the_page_leads_back_to_where_one_was_and_repeats_no_form():
    request = RequestFactory().post("/admin/tenants/tenant/add/")

    assert b'href="/admin/tenants/?q=1"' in raised(OperationalError()).content
    try:
        raise OperationalError
    except OperationalError:
        page = server_error(request).content.decode()
    assert "Look whether it was before you send it again" in page
    assert "tenant/add" not in page


class LosesTheDatabase:
    """Lets so many statements through, and then none."""

    def __init__(self, after: int) -> None:
        self.left = after
        self.is_lost = False

    def __call__(self, execute, sql, params, many, context):
        self.left -= 1
        if self.left < 0:
            self.is_lost = True
            raise OperationalError("server closed the connection unexpectedly")
        return execute(sql, params, many, context)


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("get", "/admin/"),
        ("get", "/admin/operations/"),
        ("get", "/admin/audit/auditevent/"),
        ("post", "/admin/logout/"),
        ("get", "/api/v1/ops/keys/"),
    ],
)
def test_at_whatever_statement_the_database_is_lost_the_answer_is_503(admin_user, transactional_db, method, address):
    _, token = issue_ops_token(label="grafana", scopes=[OpsScope.KEYS_READ], actor=SYSTEM)
    told = []
    for statements in range(200):
        client = Client(raise_request_exception=False)
        client.force_login(admin_user)
        loses = LosesTheDatabase(after=statements)
        with connection.execute_wrapper(loses):
            answer = getattr(client, method)(address, headers={"Authorization": f"Bearer {token}"})
            if hasattr(answer, "streaming_content"):
                answer.getvalue()
        if not loses.is_lost:
            break
        told.append((statements, answer.status_code))

    assert told
    assert {status for _, status in told} == {503}, told
    assert answer.status_code == 200


class Browser:
    """Keeps cookies and logs in through the form."""

    def __init__(self, platform) -> None:
        self.platform = platform
        self.cookies: dict[str, str] = {}

    def ask(self, method, path, **fields):
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if fields:
            fields["csrfmiddlewaretoken"] = self.cookies["csrftoken"]
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        answer = self.platform.request(method, path, body=urllib.parse.urlencode(fields).encode(), headers=headers)
        self.cookies |= dict(re.findall(r"(csrftoken|sessionid)=([^;]+)", answer.headers.get("set-cookie", "")))
        return answer

    def log_in(self):
        self.ask("GET", "/admin/login/")
        return self.ask("POST", "/admin/login/", username=NAME, password=PASSWORD)


def test_the_console_says_that_postgresql_is_away_and_goes_on_when_it_is_back(
    on_services, transactional_db, django_user_model
):
    django_user_model.objects.create_superuser(NAME, password=PASSWORD)
    _, token = issue_ops_token(label="grafana", scopes=[OpsScope.KEYS_READ], actor=SYSTEM)
    bearer = {"Authorization": f"Bearer {token}"}
    with running_proxy() as proxy, running_platform(DATABASE_URL=proxy.url) as platform:
        browser, stranger = Browser(platform), Browser(platform)
        assert browser.log_in().status == 302
        assert browser.ask("GET", "/admin/").status == 200

        proxy.cut()
        # At once: each waits for the pool's whole patience.
        with ThreadPoolExecutor() as threads:
            asked = [
                threads.submit(browser.ask, "GET", "/admin/"),
                threads.submit(stranger.log_in),
                threads.submit(platform.request, "GET", "/api/v1/ops/keys/", headers=bearer),
                threads.submit(browser.ask, "GET", "/api/v1/ops/keys/"),
            ]
        page, login, machine, machine_with_cookies = (answer.result() for answer in asked)
        log = platform.log
        proxy.mend()
        back = time.monotonic() + RECOVERY_SECONDS
        while (again := browser.ask("GET", "/admin/")).status != 200:
            assert time.monotonic() < back, platform.log[-2000:]

    assert [answer.status for answer in (page, login, machine, machine_with_cookies)] == [503] * 4
    assert [answer.headers["retry-after"] for answer in (page, login, machine)] == ["5"] * 3
    assert b"The database does not answer" in page.body
    assert page.headers["x-request-id"].encode() in page.body
    assert "script-src 'self'" in page.headers["content-security-policy"]
    error = machine.json["error"]
    assert (error["code"], error["retry_after"]) == ("platform_unavailable", 5)
    assert error["request_id"] == machine.headers["x-request-id"]
    assert machine_with_cookies.json["error"]["code"] == "platform_unavailable"
    assert "Traceback" not in log
    lines = [json.loads(line) for line in log.splitlines() if "a page was refused" in line]
    assert sorted(line["path"] for line in lines) == ["/admin/", "/admin/login/", *["/api/v1/ops/keys/"] * 2]
    assert {line["level"] for line in lines} == {"error"}
    assert page.headers["x-request-id"] in {line["request_id"] for line in lines}
    assert b"Log out" in again.body


def test_the_console_says_that_sqlites_file_cannot_be_opened(tmp_path):
    address = f"sqlite:///{tmp_path / 'missing' / 'db.sqlite3'}"
    with running_platform(ready=False, DATABASE_URL=address) as platform:
        page = platform.request("GET", "/admin/", headers={"Cookie": "sessionid=" + "a" * 32})

    assert page.status == 503
    assert "unable to open database file" in platform.log
