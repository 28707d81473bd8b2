"""Addresses of the stock door: console, operations API, widget files, probes. The public door has its own (gateway/urls.py)."""

from django.contrib import admin
from django.urls import path

from console.reauthentication import reauthenticate

urlpatterns = [
    path("admin/reauthenticate/", reauthenticate, name="reauthenticate"),
    path("admin/", admin.site.urls),
]
