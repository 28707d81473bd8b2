import django.core.validators
import django.db.models.deletion
import re
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0002_same_tenant'),
    ]

    operations = [
        migrations.AddField(
            model_name='tenant',
            name='identity_algorithm',
            field=models.CharField(choices=[('HS256', 'HS256: a secret that both sides share'), ('EdDSA', 'EdDSA: a public key (Ed25519)'), ('RS256', 'RS256: a public key (RSA)')], default='HS256', help_text='The one algorithm whose tokens count; any other is refused.', max_length=5, verbose_name='signature'),
        ),
        migrations.AddField(
            model_name='tenant',
            name='identity_claims',
            field=models.JSONField(blank=True, default=list, help_text='Claims of the token that reach the workflow as state variables, for instance plan, locale. Nothing else does.', verbose_name='claims for the workflow'),
        ),
        migrations.AddField(
            model_name='tenant',
            name='identity_mode',
            field=models.CharField(choices=[('off', 'off: tokens are ignored'), ('report_only', 'report only: tokens are checked, everybody stays anonymous'), ('optional', 'optional: with a good token a visitor is known, without one anonymous'), ('required', 'required: nobody chats without a good token')], default='off', help_text="Whether your customer's own server says who a visitor is, by a token that it signs.", max_length=11, verbose_name='signed visitors'),
        ),
        migrations.AddField(
            model_name='tenant',
            name='log_only_limits',
            field=models.JSONField(blank=True, default=list, help_text='Limits that refuse nobody yet: what they would refuse is only noted in the ledger.', verbose_name='limits on trial'),
        ),
        migrations.AddField(
            model_name='tenant',
            name='new_visitors_per_minute',
            field=models.PositiveIntegerField(blank=True, help_text="Visitors whom nobody has seen before, for the whole tenant. Empty: the site's default.", null=True, validators=[django.core.validators.MinValueValidator(1)]),
        ),
        migrations.AddField(
            model_name='tenant',
            name='retention_days',
            field=models.PositiveIntegerField(blank=True, help_text="Older ones are deleted, and the audit says how many. Empty: the site's default.", null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='keep session requests (days)'),
        ),
        migrations.AddField(
            model_name='tenant',
            name='sessions_per_day',
            field=models.PositiveIntegerField(blank=True, help_text="Sessions granted from midnight to midnight UTC. Empty: the site's default, which may be none.", null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='daily quota'),
        ),
        migrations.AddField(
            model_name='tenant',
            name='sessions_per_minute_per_address',
            field=models.PositiveIntegerField(blank=True, help_text="For one network address (IPv4 address or IPv6 /64). Empty: the site's default.", null=True, validators=[django.core.validators.MinValueValidator(1)]),
        ),
        migrations.AddField(
            model_name='tenant',
            name='sessions_per_month',
            field=models.PositiveIntegerField(blank=True, help_text="Sessions granted in a calendar month, UTC. Empty: the site's default, which may be none.", null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='monthly quota'),
        ),
        migrations.CreateModel(
            name='IdentityKey',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('label', models.CharField(help_text='To tell them apart.', max_length=80, validators=[django.core.validators.RegexValidator('(?<![A-Za-z0-9])(sk-|ek_|domain_pk_)[A-Za-z0-9_-]{8}', 'This looks like a key, and a name is shown to everybody here. Choose another name, and paste a key only into the field “API key”.', flags=re.RegexFlag['IGNORECASE'], inverse_match=True)])),
                ('algorithm', models.CharField(choices=[('HS256', 'HS256: a secret that both sides share'), ('EdDSA', 'EdDSA: a public key (Ed25519)'), ('RS256', 'RS256: a public key (RSA)')], editable=False, max_length=5)),
                ('token', models.TextField(blank=True, editable=False, help_text='The sealed secret; never shown again.')),
                ('public_key', models.TextField(blank=True, editable=False, help_text='PEM.')),
                ('fingerprint', models.CharField(editable=False, max_length=16)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('retired_at', models.DateTimeField(editable=False, null=True)),
                ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='identity_keys', to='tenants.tenant')),
            ],
            options={
                'verbose_name': 'signing key of a tenant',
                'verbose_name_plural': 'signing keys of tenants',
                'ordering': ['tenant', 'created_at'],
            },
        ),
    ]
