"""What a browser would send: the fields of the admin's forms as they stand, with some of them changed."""

from typing import Any

from django.test import Client


def posted(client: Client, url: str, **changes: Any) -> Any:
    """Opens the page, fills its forms in as `changes` say (`domains__0__entry` stands for `domains-0-entry`), and sends them."""
    data = filled(client, url) | {name.replace("__", "-"): value for name, value in changes.items()}
    return client.post(url, {name: value for name, value in data.items() if value is not None})


def filled(client: Client, url: str) -> dict[str, Any]:
    """What the page's forms hold when it is opened."""
    context = client.get(url).context
    data: dict[str, Any] = {}
    for form in _forms(context):
        for name in form.fields:
            value = form[name].value()
            if value is True:
                data[form.add_prefix(name)] = "on"
            elif value is not None and value is not False:
                data[form.add_prefix(name)] = value
    return data


def _forms(context: Any) -> list[Any]:
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    return forms


def errors_of(answer: Any) -> str:
    """All error messages that the page shows, in one text."""
    context = answer.context
    forms = _forms(context) if "adminform" in context else [context["form"]]
    return " ".join(message for form in forms for messages in form.errors.values() for message in messages)
