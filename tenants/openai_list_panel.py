"""The panel of a tenant's page with both lists of websites: ours, and OpenAI's own, which nobody can read by a program."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from tenants.openai_list import HOW_LONG, OPENAI_LIST_URL, is_concerned, listings_of
from tenants.tenant_page import PageFacts


def openai_list_panel(request: HttpRequest, facts: PageFacts) -> SafeString:
    """Empty where no assistant of the tenant answers by the platform, or is about to."""
    if not is_concerned(facts.assistants):
        return SafeString("")
    context = {"listings": listings_of(facts.tenant), "list_url": OPENAI_LIST_URL, "how_long": HOW_LONG}
    return render_to_string("admin/tenants/tenant/openai_list.html", context, request)
