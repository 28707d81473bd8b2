from importlib import import_module

from django.db import migrations, models

import tenants.file_types

MAKE, DROP = import_module("tenants.migrations.0002_same_tenant").same_tenant_triggers()


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0005_agents_and_chat_limits'),
    ]

    operations = [
        # SQLite rebuilds the table, and can't while triggers name it: gone first, made anew at the end.
        migrations.RunPython(DROP, MAKE),
        migrations.AddField(
            model_name='assistant',
            name='accepted_file_types',
            field=models.JSONField(blank=True, default=list, help_text='Only of assistants that this platform serves. None chosen: images, PDF, text, CSV and Markdown.', validators=[tenants.file_types.validate_file_types]),
        ),
        migrations.RunPython(MAKE, DROP),
    ]
