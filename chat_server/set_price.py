"""The deed: a model's tokens cost so much from a day on."""

from datetime import date
from decimal import Decimal

from django.db import transaction

from audit.actions import Action
from audit.changes import described
from audit.record import Actor, Subject, record
from chat_server.models import ModelPrice
from chat_server.prices import PRICES


@transaction.atomic
def set_price(
    *,
    model: str,
    valid_from: date,
    input_per_million: Decimal,
    cached_input_per_million: Decimal,
    output_per_million: Decimal,
    actor: Actor,
) -> ModelPrice:
    """US dollars for a million tokens. Sets the row of this model and day, or adds it; nothing where it stands so already.

    Raises django.core.exceptions.ValidationError for what is no price.
    """
    row = ModelPrice.objects.filter(model=model, valid_from=valid_from).first()
    is_new = row is None
    row = row or ModelPrice(model=model, valid_from=valid_from)
    given = {
        "input_per_million": input_per_million,
        "cached_input_per_million": cached_input_per_million,
        "output_per_million": output_per_million,
    }
    old = {name: getattr(row, name) for name in given}
    changed = [name for name, value in given.items() if old[name] != value]
    if not changed:
        return row
    for name in changed:
        setattr(row, name, given[name])
    row.full_clean()
    row.save()
    record(
        Action.PRICE_ADDED if is_new else Action.PRICE_CHANGED,
        actor=actor,
        subject=Subject(type="modelprice", id=str(row.pk), label=str(row)),
        changes=described(changed, {name: {"old": old[name], "new": given[name]} for name in changed}),
    )
    transaction.on_commit(PRICES.forget)
    return row
