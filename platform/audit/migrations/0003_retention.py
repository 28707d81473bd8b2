import audit.actions
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0002_append_only'),
    ]

    operations = [
        migrations.CreateModel(
            name='PrunePermit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('table_name', models.CharField(max_length=63)),
                ('tenant_id', models.UUIDField(null=True)),
                ('before', models.DateTimeField()),
                ('transaction', models.BigIntegerField(help_text="PostgreSQL's number of the transaction.", null=True)),
            ],
        ),
        # The vocabulary grows with the code; the column need not be told each time.
        migrations.AlterField(
            model_name='auditevent',
            name='action',
            field=models.CharField(choices=audit.actions.action_choices, db_index=True, max_length=40),
        ),
    ]
