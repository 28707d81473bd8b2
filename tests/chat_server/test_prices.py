"""What a run costs: by the row of its model that had begun on its day, to the microdollar."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from audit.models import AuditEvent
from chat_server.budget_usage import dollars
from chat_server.models import ModelPrice
from chat_server.prices import Price, cost, load_book, price_of
from tests.chat_server.metered import give_price

ADD = "/admin/chat_server/modelprice/add/"
LIST = "/admin/chat_server/modelprice/"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("day", "found"),
    [
        (date(2025, 12, 31), None),
        (date(2026, 1, 1), "2"),
        (date(2026, 6, 30), "2"),
        (date(2026, 7, 1), "3"),
        (date(2030, 1, 1), "3"),
    ],
)
def test_a_price_counts_from_its_day_until_the_next_one(day: date, found: str | None) -> None:
    give_price(since=date(2026, 1, 1), dollars=("2", "1", "8"))
    give_price(since=date(2026, 7, 1), dollars=("3", "1", "9"))
    give_price("gpt-other", since=date(2026, 3, 1), dollars=("7", "1", "9"))

    for price in (price_of("gpt-sandbox", day), load_book().price_of("gpt-sandbox", day)):
        assert (None if price is None else price.input) == (None if found is None else Decimal(found))


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [((0, 0, 0), 0), ((1_000_000, 0, 0), 2_500_000), ((1000, 1000, 0), 250), ((1000, 400, 100), 2600), ((1, 0, 0), 3)],
)
def test_cached_tokens_are_the_cheaper_part_of_the_input(tokens: tuple[int, int, int], expected: int) -> None:
    price = Price(date(2026, 1, 1), Decimal("2.5"), Decimal("0.25"), Decimal("10"))

    assert cost(price, input_tokens=tokens[0], cached_tokens=tokens[1], output_tokens=tokens[2]) == expected


def test_more_cached_tokens_than_input_are_no_credit() -> None:
    price = Price(date(2026, 1, 1), Decimal("2"), Decimal("1"), Decimal("8"))

    assert cost(price, input_tokens=10, cached_tokens=99, output_tokens=0) == 10


@pytest.mark.parametrize(
    ("amount", "said"),
    [(None, "no price"), (0, "$0.00"), (1, "$0.0000"), (12_345, "$0.0123"), (1_234_567_891, "$1,234.57")],
)
def test_money_is_said_in_dollars(amount: int | None, said: str) -> None:
    assert dollars(amount) == said


@pytest.mark.django_db
def test_no_migration_invents_a_price() -> None:
    assert not ModelPrice.objects.exists()


@pytest.mark.django_db
def test_prices_are_added_changed_and_deleted_in_the_console_and_each_is_in_the_audit(admin_client: Client) -> None:
    form = {
        "model": "gpt-sandbox",
        "valid_from": "2026-01-01",
        "input_per_million": "2",
        "cached_input_per_million": "0.5",
        "output_per_million": "8",
    }
    admin_client.post(ADD, form)
    row = ModelPrice.objects.get()
    admin_client.post(f"{LIST}{row.pk}/change/", {**form, "output_per_million": "9"})
    admin_client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"})

    events = list(AuditEvent.objects.filter(action__startswith="price:").order_by("seq"))
    assert [event.action for event in events] == ["price:added", "price:changed", "price:deleted"]
    assert events[1].changes["values"]["output_per_million"] == {"old": "8.0000", "new": "9"}
    assert not ModelPrice.objects.exists()


@pytest.mark.django_db
def test_a_new_price_begins_with_the_figures_of_the_old_one_and_writes_nothing_before_it_is_saved(
    admin_client: Client,
) -> None:
    row = give_price()

    answer = admin_client.post(LIST, {"action": "new_price", "_selected_action": [row.pk]})
    page = admin_client.get(answer.headers["Location"]).content.decode()

    assert answer.headers["Location"].startswith(ADD + "?model=gpt-sandbox&valid_from=")
    assert 'value="0.5000"' in page
    assert ModelPrice.objects.count() == 1


@pytest.mark.django_db
def test_two_prices_of_a_model_on_one_day_are_refused(admin_client: Client) -> None:
    row = give_price()

    page = admin_client.post(
        ADD,
        {
            "model": row.model,
            "valid_from": row.valid_from.isoformat(),
            "input_per_million": "1",
            "cached_input_per_million": "1",
            "output_per_million": "1",
        },
    ).content.decode()

    assert "already exists" in page
    assert ModelPrice.objects.count() == 1


@pytest.mark.django_db
def test_a_price_is_set_on_the_command_line_and_setting_it_again_says_nothing_new() -> None:
    given = ["gpt-sandbox", "--cached", "0.5", "--output", "8", "--from", "2026-01-01"]
    for plain in ("2", "2", "3"):
        call_command("set_price", *given, "--input", plain)

    assert [row.input_per_million for row in ModelPrice.objects.all()] == [3]
    assert list(AuditEvent.objects.order_by("seq").values_list("action", flat=True)) == ["price:added", "price:changed"]


@pytest.mark.django_db
@pytest.mark.parametrize("plain", ["dear", "-1"])
def test_what_is_no_price_is_refused_on_the_command_line(plain: str) -> None:
    with pytest.raises(CommandError):
        call_command("set_price", "gpt-sandbox", f"--input={plain}", "--cached=1", "--output=1")

    assert not ModelPrice.objects.exists()
