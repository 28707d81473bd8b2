"""Addresses on PREVIEW_ORIGIN, a host of its own: only pages that may load OpenAI's script."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
