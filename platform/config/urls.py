"""Addresses of the stock door: console, operations API, widget files, probes. The public door has its own (gateway/urls.py)."""

from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]
