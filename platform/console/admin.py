"""The console's own pages: people and groups. Rooms above take the base class of their pages from here."""

from django.contrib import admin
from django.contrib.auth.models import Group, User

from console.audited_admin import AuditedAdmin, Vocabulary
from console.users import ConsoleGroupAdmin, ConsoleUserAdmin

__all__ = ["AuditedAdmin", "Vocabulary"]

for model, page in ((User, ConsoleUserAdmin), (Group, ConsoleGroupAdmin)):
    # Registered by django.contrib.auth.admin, which console.users imports.
    admin.site.unregister(model)
    admin.site.register(model, page)
