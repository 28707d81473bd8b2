from django.db import migrations

from audit.append_only import protect_in_migration


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [migrations.RunPython(*protect_in_migration("audit_auditevent"))]
