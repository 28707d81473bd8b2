import django.db.models.deletion
from django.db import migrations, models

from audit.append_only import protect_in_migration

class Migration(migrations.Migration):

    dependencies = [
        ('sessions_api', '0002_append_only'),
        ('tenants', '0003_visitors_limits_retention'),
    ]

    operations = [
        migrations.AddField(
            model_name='livesession',
            name='origin',
            field=models.CharField(blank=True, default='', max_length=300),
        ),
        migrations.AddField(
            model_name='sessionrequest',
            name='identity',
            field=models.CharField(blank=True, default='', help_text='“ok”, or why the signed identity was refused or is missing.', max_length=40),
        ),
        migrations.AddField(
            model_name='sessionrequest',
            name='visitor_kind',
            field=models.CharField(blank=True, default='', help_text='anon, or known by a signed identity.', max_length=5),
        ),
        migrations.AddField(
            model_name='sessionrequest',
            name='would_refuse',
            field=models.CharField(blank=True, default='', help_text='Limits on trial that would have refused this.', max_length=80),
        ),
        migrations.AlterField(
            model_name='livesession',
            name='visitor_ref',
            field=models.CharField(db_index=True, max_length=32),
        ),
        migrations.CreateModel(
            name='RevokedVisitor',
            fields=[
                ('ref', models.CharField(max_length=32, primary_key=True, serialize=False)),
                ('revoked_at', models.DateTimeField(db_index=True)),
                ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='revoked_visitors', to='tenants.tenant')),
            ],
            options={
                'verbose_name': 'revoked visitor',
            },
        ),
        migrations.CreateModel(
            name='VisitorLink',
            fields=[
                ('user', models.CharField(help_text="The visitor's `user` at OpenAI.", max_length=120, primary_key=True, serialize=False)),
                ('ref', models.CharField(db_index=True, max_length=32)),
                ('pseudonym', models.CharField(blank=True, default='', max_length=32)),
                ('first_seen_at', models.DateTimeField()),
                ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='visitor_links', to='tenants.tenant')),
            ],
            options={
                'verbose_name': 'visitor',
                'ordering': ['-first_seen_at'],
            },
        ),
        # SQLite makes a table anew to add a column, and its triggers are gone.
        migrations.RunPython(*protect_in_migration("sessions_api_sessionrequest")),
    ]
