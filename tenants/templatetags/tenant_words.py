"""Verdicts and warnings in templates: as badges and as words."""

import json

from django import template
from django.utils.safestring import SafeString

from tenants import badges
from tenants.domains import today
from tenants.key_page import words_of_key as key_words
from tenants.models import ApiKey, AssistantKey, Tenant
from tenants.origin_warnings import OriginWarning, warnings_of
from tenants.verdict_words import Words, words_for

register = template.Library()


@register.filter
def as_typed(value: object) -> str:
    """A field of a version as a person would write it: lists as JSON, choices as yes and no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return json.dumps(value, indent=2, ensure_ascii=False) if value else "–"
    return str(value)


@register.simple_tag
def verdict_badge(verdict: str) -> SafeString:
    return badges.verdict_badge(verdict)


@register.simple_tag
def words_of_key(key: ApiKey) -> Words:
    return key_words(key)


@register.simple_tag
def words_of_pair(pair: AssistantKey) -> Words:
    return words_for(pair.verdict)


@register.simple_tag
def tone_badge(label: str, tone: str) -> SafeString:
    return badges.badge(label, tone)


@register.simple_tag
def warnings_of_websites(tenant: Tenant) -> list[OriginWarning]:
    """Of every website on the list, in the list's order."""
    if tenant._state.adding:
        return []
    return [found for domain in tenant.domains.all() for found in warnings_of(domain.rule, today=today())]
