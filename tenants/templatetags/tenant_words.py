"""Verdicts in templates: as badges and as words."""

from django import template
from django.utils.safestring import SafeString

from tenants import badges
from tenants.key_page import words_of_key as key_words
from tenants.models import ApiKey, AssistantKey
from tenants.verdict_words import Words, words_for

register = template.Library()


@register.simple_tag
def verdict_badge(verdict: str) -> SafeString:
    return badges.verdict_badge(verdict)


@register.simple_tag
def words_of_key(key: ApiKey) -> Words:
    return key_words(key)


@register.simple_tag
def words_of_pair(pair: AssistantKey) -> Words:
    return words_for(pair.verdict)
