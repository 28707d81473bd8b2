"""The one admin site."""

from django.contrib.admin import AdminSite


class ConsoleSite(AdminSite):
    site_header = "ChatKit platform"
    site_title = "ChatKit platform"
    index_title = "Tenants and their health"
    enable_nav_sidebar = True
