"""The document of the public endpoints: complete, kept in docs/, and shown to staff alone."""

import dataclasses
from io import StringIO

import jsonschema_rs
import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from dashboards.public_api.chat_endpoints import ADDRESSES
from dashboards.public_api.document import addresses, public_openapi
from dashboards.public_api.endpoints import endpoints
from gateway.errors import Code, PublicError
from sessions_api.reading import SessionCall
from tests.architecture.test_docs import DOCS


def codes_of(answer: dict) -> list[str]:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return schema["allOf"][1]["properties"]["error"]["properties"]["code"]["enum"] if "allOf" in schema else []


def test_the_kept_file_is_what_the_code_says() -> None:
    made = StringIO()
    call_command("public_openapi", stdout=made)

    assert (DOCS / "openapi-public.yaml").read_text() == made.getvalue(), "Run: make openapi"
    assert yaml.safe_load(made.getvalue()) == public_openapi()


def test_every_address_of_the_lean_door_is_described() -> None:
    assert set(addresses()) == set(endpoints())
    assert set(public_openapi()["paths"]) == {*addresses().values(), *ADDRESSES.values()}


def test_every_code_can_be_given_by_some_endpoint_under_its_own_status() -> None:
    operations = [operation for path in endpoints().values() for operation in path.values()]
    given = {
        (code, status)
        for operation in operations
        for status, answer in operation["responses"].items()
        for code in codes_of(answer)
    }

    assert given == {(code.value, str(PublicError(code).status)) for code in Code}


def test_every_field_of_a_session_request_is_described() -> None:
    fields = public_openapi()["components"]["schemas"]["SessionCall"]["properties"]

    assert set(fields) == {field.name for field in dataclasses.fields(SessionCall)}
    assert all(field["description"] for field in fields.values())


def test_every_schema_is_a_schema() -> None:
    document = public_openapi()
    for name in document["components"]["schemas"]:
        jsonschema_rs.validator_for({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


@pytest.mark.django_db
def test_staff_read_it_and_nobody_else(console: Client) -> None:
    document = console.get(reverse("public-api-schema"))

    assert document.json() == public_openapi(server=settings.PLATFORM_URL)
    for name in ("public-api-schema", "public-api-docs"):
        assert console.get(reverse(name)).status_code == 200
        stranger = Client().get(reverse(name))
        assert (stranger.status_code, stranger.headers["Location"].partition("?")[0]) == (302, reverse("admin:login"))


@pytest.mark.django_db
def test_the_page_loads_nothing_from_elsewhere(console: Client) -> None:
    page = console.get(reverse("public-api-docs")).content.decode()

    assert "swagger-ui" in page
    assert "://" not in page


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["public-api-docs", "ops-api-docs"])
def test_the_page_leads_back_to_the_console(console: Client, name: str) -> None:
    page = console.get(reverse(name)).content.decode()

    assert [f'href="{reverse(back)}"' in page for back in ("admin:index", "operations")] == [True, True]
