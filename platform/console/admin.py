"""The console's own pages: people and groups. Rooms above take the base class of their pages from here."""

from django.contrib import admin
from django.contrib.auth.models import Group, User

from console.audited_admin import AuditedAdmin, Vocabulary
from console.users import ConsoleGroupAdmin, ConsoleUserAdmin

__all__ = ["AuditedAdmin", "Vocabulary"]

for model, page in ((User, ConsoleUserAdmin), (Group, ConsoleGroupAdmin)):
    # Django registers its own pages first, as its apps stand first in INSTALLED_APPS.
    admin.site.unregister(model)
    admin.site.register(model, page)
