"""Addresses on PREVIEW_ORIGIN, a host of its own: only pages that may load OpenAI's script."""

from django.urls import path

from widget.views import preview_page

urlpatterns = [path("preview/<str:public_id>/", preview_page, name="preview-page")]
