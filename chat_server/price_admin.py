"""The price table in the console: which no release fills in, and whose every change is audited."""

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from audit.actions import Action
from chat_server.models import ModelPrice
from chat_server.prices import PRICES
from console.audited_admin import AuditedAdmin, Vocabulary

_FIELDS = ("input_per_million", "cached_input_per_million", "output_per_million")


@admin.register(ModelPrice)
class ModelPriceAdmin(AuditedAdmin):
    """A new price is a new row with its day: a row that is changed or deleted changes no run that was recorded."""

    audit_actions = {ModelPrice: Vocabulary(Action.PRICE_ADDED, Action.PRICE_CHANGED, Action.PRICE_DELETED)}
    audited_values: ClassVar[frozenset[str]] = frozenset({"model", "valid_from", *_FIELDS})
    list_display = ["model", "valid_from", *_FIELDS]
    search_fields = ["model"]
    actions = ["new_price"]
    fieldsets = [
        (
            None,
            {
                "fields": ["model", "valid_from", *_FIELDS],
                "description": "US dollars for a million tokens, as OpenAI's price list has them. A run takes the newest "
                "price of its model that has begun on its day (UTC), and keeps the cost that it was recorded with: when a "
                "price changes, add a row with the day of the change instead of changing the old one.",
            },
        )
    ]

    @admin.action(description="New price from today, beginning with these figures", permissions=["add"])
    def new_price(self, request: HttpRequest, queryset: QuerySet[ModelPrice]) -> HttpResponse | None:
        """The form of a new row, filled in; nothing is written before it is saved."""
        row = queryset.first()
        if row is None or queryset.count() != 1:
            messages.error(request, "Choose one price: the new one begins with its figures.")
            return None
        given = {"model": row.model, "valid_from": timezone.now().date().isoformat()}
        given |= {name: str(getattr(row, name)) for name in _FIELDS}
        return HttpResponseRedirect(f"{reverse('admin:chat_server_modelprice_add')}?{urlencode(given)}")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        PRICES.forget()
        if change and form.changed_data:
            messages.info(
                request, "Runs that were recorded keep their cost; new ones take this price within 30 seconds."
            )
        elif not change and obj.valid_from < timezone.now().date():
            messages.info(request, "It begins in the past: runs that were recorded since keep the cost they have.")

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        PRICES.forget()
        messages.info(
            request, "Runs that were recorded keep their cost. A model without a price is shown with “no price”."
        )
