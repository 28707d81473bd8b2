import django.db.models.deletion
import uuid
from django.db import migrations, models

from audit.append_only import protect_in_migration


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0003_retention'),
        ('sessions_api', '0004_quotas'),
        ('tenants', '0003_visitors_limits_retention'),
    ]

    operations = [
        migrations.AddField(
            model_name='livesession',
            name='cancel_reason',
            field=models.CharField(blank=True, default='', max_length=24),
        ),
        migrations.AddField(
            model_name='tenantdeletion',
            name='by_key',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='tenantdeletion',
            name='threads_of_key',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.CreateModel(
            name='VisitorErasure',
            fields=[
                ('started_at', models.DateTimeField()),
                ('due_at', models.DateTimeField()),
                ('claim', models.UUIDField(db_index=True, null=True)),
                ('claimed_until', models.DateTimeField(null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('keys_done', models.JSONField(default=list)),
                ('keys_unreachable', models.JSONField(default=list)),
                ('by_key', models.JSONField(default=list)),
                ('cursor', models.CharField(blank=True, max_length=210)),
                ('failures', models.PositiveSmallIntegerField(default=0)),
                ('threads_of_key', models.PositiveIntegerField(default=0)),
                ('threads_deleted', models.PositiveIntegerField(default=0)),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('user', models.CharField(blank=True, db_index=True, max_length=120)),
                ('ref', models.CharField(blank=True, max_length=32)),
                ('requested_by', models.CharField(help_text="A user's name, or “system” for the command line.", max_length=150)),
                ('finished_at', models.DateTimeField(db_index=True, null=True)),
                ('certificate', models.TextField(blank=True, help_text='Signed (certificate.py).')),
                ('tenant', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='visitor_erasures', to='tenants.tenant')),
            ],
            options={
                'verbose_name': 'erasure of a visitor',
                'verbose_name_plural': 'erasures of visitors',
                'ordering': ['-started_at'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('finished_at', None)), fields=('tenant', 'user'), name='one_erasure_at_a_time')],
            },
        ),
        migrations.RunPython(*protect_in_migration("sessions_api_sessionrequest", prunable=True)),
    ]
