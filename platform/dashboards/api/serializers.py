"""Shapes of the operations API: the figures' dataclasses, field by field."""

from typing import Any

from rest_framework import serializers

from dashboards.broken import Gap
from dashboards.key_figures import NO_KEY
from dashboards.spans import DEFAULT_SPAN, SPANS
from tenants.models import Tenant, TenantState, Verdict

# Named in SPECTACULAR_SETTINGS, so that the schema does not make names up.
WORST_KEY_STATES = [*Verdict.values, NO_KEY]
BROKEN_STATES = [*Verdict.values, *Gap.values]


class FiguresQuery(serializers.Serializer[Any]):
    range = serializers.ChoiceField(choices=list(SPANS), default=DEFAULT_SPAN.name, help_text="How far back.")
    tenant = serializers.SlugRelatedField(
        slug_field="slug",
        queryset=Tenant.objects.all(),
        required=False,
        default=None,
        help_text="A tenant's slug. Absent: all.",
    )


class BarSerializer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    granted = serializers.IntegerField()
    refused = serializers.IntegerField()
    failed = serializers.IntegerField()


class ReasonSerializer(serializers.Serializer[Any]):
    outcome = serializers.CharField(help_text="The public error code.")
    reason = serializers.CharField(help_text="What lies behind it; may be empty.")
    count = serializers.IntegerField()


class LatencySerializer(serializers.Serializer[Any]):
    p50 = serializers.IntegerField(allow_null=True, help_text="Milliseconds that OpenAI took.")
    p95 = serializers.IntegerField(allow_null=True)
    asked = serializers.IntegerField(help_text="Requests that asked OpenAI.")


class SessionFiguresSerializer(serializers.Serializer[Any]):
    range = serializers.CharField(source="span.name")
    totals = BarSerializer()
    bars = BarSerializer(many=True)
    reasons = ReasonSerializer(many=True)
    latency = LatencySerializer()


class RunSumsSerializer(serializers.Serializer[Any]):
    runs = serializers.IntegerField()
    answered = serializers.IntegerField()
    cut = serializers.IntegerField(help_text="The visitor left or cancelled.")
    estimated = serializers.IntegerField(help_text="Runs whose tokens OpenAI had not told when they were cut.")
    input_tokens = serializers.IntegerField()
    cached_tokens = serializers.IntegerField(help_text="Of the input tokens.")
    output_tokens = serializers.IntegerField()
    cost_microdollars = serializers.IntegerField(
        source="cost", allow_null=True, help_text="Millionths of a US dollar, by the price table. Null: no price."
    )
    unpriced = serializers.IntegerField(help_text="Runs whose model had no price.")


class FirstWordsSerializer(serializers.Serializer[Any]):
    p50 = serializers.IntegerField(allow_null=True, help_text="Milliseconds until the first words.")
    p95 = serializers.IntegerField(allow_null=True)
    counted = serializers.IntegerField(help_text="Runs that had any.")


class TenantSpentSerializer(serializers.Serializer[Any]):
    tenant = serializers.CharField(source="tenant.slug", default="", help_text="Its slug. Empty: it is deleted.")
    runs = serializers.IntegerField()
    tokens = serializers.IntegerField()
    cost_microdollars = serializers.IntegerField(source="cost", allow_null=True)


class UsageSerializer(serializers.Serializer[Any]):
    range = serializers.CharField(source="span.name")
    totals = RunSumsSerializer(help_text="Of the range.")
    today = RunSumsSerializer(help_text="Since midnight, UTC.")
    month = RunSumsSerializer(help_text="Of this calendar month, UTC.")
    first_words = FirstWordsSerializer()
    failures = ReasonSerializer(many=True, source="errors")
    top = TenantSpentSerializer(many=True)


class KeyStateSerializer(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField(choices=Verdict.values)
    keys = serializers.IntegerField()
    pairs = serializers.IntegerField()


class TenantsAtStateSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=WORST_KEY_STATES)
    tenants = serializers.IntegerField(help_text="Active tenants whose keys are at this state at worst.")


class BrokenTenantSerializer(serializers.Serializer[Any]):
    tenant = serializers.CharField(source="tenant.slug")
    assistant = serializers.CharField(help_text="Empty: the tenant or the key itself, whatever the assistant.")
    key = serializers.CharField(help_text="Label and last four characters. Empty: a key or an assistant is missing.")
    verdict = serializers.ChoiceField(choices=BROKEN_STATES)
    sentence = serializers.CharField(source="words.sentence", help_text="What is the case.")
    cure = serializers.CharField(source="words.cure", help_text="What to do.")
    since = serializers.DateTimeField(allow_null=True)
    checked_at = serializers.DateTimeField(allow_null=True)


class KeysSerializer(serializers.Serializer[Any]):
    states = KeyStateSerializer(many=True)
    tenants = TenantsAtStateSerializer(many=True)
    broken = BrokenTenantSerializer(many=True)
    last_check_at = serializers.DateTimeField(allow_null=True)


class TenantSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = serializers.CharField()
    public_id = serializers.CharField()
    state = serializers.ChoiceField(choices=TenantState.values)
    keys = serializers.ChoiceField(
        choices=WORST_KEY_STATES, help_text="The worst verdict among the keys in use and their pairs."
    )
    domains = serializers.ListField(child=serializers.CharField())
    assistants = serializers.ListField(child=serializers.CharField())


class ErrorBodySerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    request_id = serializers.CharField()
    retry_after = serializers.IntegerField(allow_null=True)


class ErrorSerializer(serializers.Serializer[Any]):
    error = ErrorBodySerializer()
