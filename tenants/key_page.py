"""What a key's page says: the verdict in words with its cure, on the key itself and on each assistant that uses it."""

from dataclasses import dataclass

from tenants.badges import tone_of
from tenants.models import ApiKey, Assistant, AssistantKey, Verdict
from tenants.verdict_words import Words, words_for


@dataclass(frozen=True, slots=True)
class PairView:
    """`is_last` says that the assistant has no other key in use."""

    assistant: Assistant
    position: int
    words: Words
    tone: str
    is_last: bool


@dataclass(frozen=True, slots=True)
class KeyPage:
    key: ApiKey
    words: Words
    tone: str
    pairs: tuple[PairView, ...]


def key_page(key: ApiKey) -> KeyPage:
    pairs = AssistantKey.objects.filter(key=key).select_related("assistant").order_by("assistant__name")
    return KeyPage(
        key=key,
        words=words_of_key(key),
        tone=tone_of(key.verdict),
        pairs=tuple(_pair_view(pair) for pair in pairs),
    )


def words_of_key(key: ApiKey) -> Words:
    return words_for(key.verdict, _reason_behind(key))


def _pair_view(pair: AssistantKey) -> PairView:
    others = pair.assistant.ranked_keys.filter(key__retired_at__isnull=True).exclude(pk=pair.pk)
    words, tone = words_for(pair.verdict), tone_of(pair.verdict)
    return PairView(pair.assistant, pair.position, words, tone, not others.exists())


def _reason_behind(key: ApiKey) -> str:
    """The reason kept with the check that led to the verdict: the same verdict may have another cure.

    `checks` is the history that key_health keeps of this key.
    """
    if key.verdict == Verdict.HEALTHY:
        return ""
    found = key.checks.filter(finding=key.verdict, assistant=None).order_by("-at").values_list("reason", flat=True)
    return str(found.first() or "")
