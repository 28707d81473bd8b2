"""What the public door must know of a tenant, in one immutable value; secrets are opened here, once per change.

Whatever in a tenant's set-up cannot work is marked with the reason instead of raised: the door then refuses that part,
and the operator reads the reason in the ledger.
"""

import logging
import uuid
from dataclasses import dataclass, field

from django.conf import settings

from chatkit_client.calls import SessionSettings
from chatkit_client.transport import Credentials
from encryption.models import site_secret
from encryption.secret import Secret
from encryption.vault import SecretError
from tenants.agents import AgentSnapshot
from tenants.credentials import KEY_UNREADABLE, KeyUnusable, credentials_of
from tenants.file_types import FILE_TYPES, accepted
from tenants.identity_keys import rules_of
from tenants.models import ApiKey, Assistant, AssistantKey, ConfigEpoch, Tenant
from tenants.models.key import CONDEMNED, Verdict
from tenants.origins import OriginRules
from tenants.upstreams import UpstreamChoice, upstream
from tenants.user_scope import open_user_scope
from tenants.verifying_keys import IdentityRules

logger = logging.getLogger(__name__)

NO_WORKFLOW = "wf_none"


@dataclass(frozen=True, slots=True)
class KeySnapshot:
    """A key in the order of an assistant's. `problem` is empty where the key may be used, else why it may not."""

    id: uuid.UUID
    credentials: Credentials | None = field(repr=False)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class AssistantSnapshot:
    """`settings` is None where what is stored could not be sent; `keys` are those not retired, first choice first."""

    id: uuid.UUID
    slug: str
    name: str
    backend: str
    settings: SessionSettings | None
    keys: tuple[KeySnapshot, ...]
    appearance: "Appearance"
    # Only of the platform's own backend: what answers, None where nothing is published.
    agent: AgentSnapshot | None = None
    credential_epoch: int = 0
    accepted_file_types: tuple[str, ...] = FILE_TYPES

    @property
    def chat_keys(self) -> tuple[KeySnapshot, ...]:
        """Those that a chat of the platform may use: a missing workflow is none of its concerns.

        Before the switch, while a version is tried, the verdict on a pair is still that of the hosted workflow.
        """
        return tuple(
            key for key in self.keys if key.credentials is not None and key.problem in ("", Verdict.WORKFLOW_MISSING)
        )


@dataclass(frozen=True, slots=True)
class Appearance:
    greeting: str
    prompts: tuple[dict[str, str], ...]
    placeholder: str
    color_scheme: str
    accent: str
    launcher_side: str
    launcher_label: str


@dataclass(frozen=True, slots=True)
class ChatLimits:
    """Of chats that the platform serves, the site's defaults filled in; None is no limit. Cost in millionths of a US dollar."""

    messages_per_minute: int
    messages_per_minute_per_visitor: int
    tokens_per_day: int | None = None
    tokens_per_day_per_visitor: int | None = None
    cost_per_month: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class TenantLimits:
    """The site's defaults filled in: sessions per minute, and quotas of which None is no quota.

    `log_only` names limits that refuse nobody yet (gateway/gcra.py: `Limit.reason`).
    """

    per_tenant: int
    per_visitor: int
    per_address: int
    new_visitors: int
    per_day: int | None = None
    per_month: int | None = None
    log_only: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TenantSnapshot:
    """`user_scope` is None where its secret could not be opened, `upstream` where the operator allows it no longer."""

    id: uuid.UUID
    public_id: str
    name: str
    is_active: bool
    state: str
    origins: OriginRules
    assistants: dict[str, AssistantSnapshot]
    default_assistant: AssistantSnapshot | None
    user_scope: Secret | None = field(repr=False)
    upstream: UpstreamChoice | None
    limits: TenantLimits
    visitor_epoch: int
    fallback_text: str
    fallback_url: str
    identity: IdentityRules = field(default_factory=lambda: IdentityRules("off", "HS256"))
    credential_epoch: int = 0
    chat: ChatLimits = field(default_factory=lambda: ChatLimits(120, 20))
    # Each list entry that has a key of OpenAI's for its website.
    domain_keys: tuple[tuple[OriginRules, str], ...] = ()

    def assistant(self, slug: str | None) -> AssistantSnapshot | None:
        """The named assistant, or the default one where none is named."""
        return self.default_assistant if slug is None else self.assistants.get(slug)

    def assistant_by_id(self, assistant_id: uuid.UUID) -> AssistantSnapshot | None:
        return next((each for each in self.assistants.values() if each.id == assistant_id), None)

    def domain_key(self, origin: str, *, now: float) -> str:
        """The public key under which OpenAI's list has this website; empty where none was entered."""
        return next((key for rules, key in self.domain_keys if rules.decide(origin, now=now)), "")


class DatabaseSource:
    """The tenants of the database, as `gateway.snapshots` asks for them."""

    def public_id_key(self) -> Secret:
        return site_secret("public_id")

    def epoch(self) -> int:
        return ConfigEpoch.current()

    def snapshot(self, public_id: str) -> TenantSnapshot | None:
        return load_snapshot(public_id)


def load_snapshot(public_id: str) -> TenantSnapshot | None:
    """The tenant of this public id in five queries, or None."""
    tenant = Tenant.objects.filter(public_id=public_id).first()
    if tenant is None:
        return None
    keys = _keys_by_assistant(tenant)
    rows = list(Assistant.objects.filter(tenant=tenant).select_related("published_version"))
    domains = list(tenant.domains.all())
    assistants = {row.slug: _assistant(row, keys.get(row.id, ())) for row in rows}
    return TenantSnapshot(
        id=tenant.id,
        public_id=tenant.public_id,
        name=tenant.name,
        is_active=tenant.is_active,
        state=tenant.state,
        origins=OriginRules(domain.rule for domain in domains),
        assistants=assistants,
        default_assistant=next((assistants[row.slug] for row in rows if row.is_default), None),
        user_scope=_user_scope(tenant),
        upstream=_upstream(tenant),
        limits=limits_of_tenant(tenant),
        visitor_epoch=tenant.visitor_epoch,
        fallback_text=tenant.fallback_text,
        fallback_url=tenant.fallback_url,
        identity=rules_of(tenant),
        credential_epoch=tenant.credential_epoch,
        chat=chat_limits_of(tenant),
        domain_keys=tuple((OriginRules([each.rule]), each.domain_key) for each in domains if each.domain_key),
    )


def limits_of_tenant(tenant: Tenant) -> TenantLimits:
    return TenantLimits(
        per_tenant=tenant.sessions_per_minute or settings.SESSIONS_PER_MINUTE_TENANT,
        per_visitor=tenant.sessions_per_minute_per_visitor or settings.SESSIONS_PER_MINUTE_VISITOR,
        per_address=tenant.sessions_per_minute_per_address or settings.SESSIONS_PER_MINUTE_ADDRESS,
        new_visitors=tenant.new_visitors_per_minute or settings.NEW_VISITORS_PER_MINUTE_TENANT,
        per_day=tenant.sessions_per_day or settings.SESSIONS_PER_DAY_TENANT or None,
        per_month=tenant.sessions_per_month or settings.SESSIONS_PER_MONTH_TENANT or None,
        log_only=frozenset(tenant.log_only_limits) | frozenset(settings.LIMITS_LOG_ONLY),
    )


def chat_limits_of(tenant: Tenant) -> ChatLimits:
    cost = tenant.cost_per_month
    return ChatLimits(
        messages_per_minute=tenant.messages_per_minute or settings.MESSAGES_PER_MINUTE_TENANT,
        messages_per_minute_per_visitor=tenant.messages_per_minute_per_visitor or settings.MESSAGES_PER_MINUTE_VISITOR,
        tokens_per_day=tenant.tokens_per_day or settings.TOKENS_PER_DAY_TENANT or None,
        tokens_per_day_per_visitor=tenant.tokens_per_day_per_visitor or settings.TOKENS_PER_DAY_VISITOR or None,
        cost_per_month=None if cost is None else int(cost * 1_000_000),
        text=tenant.limit_text,
    )


def _keys_by_assistant(tenant: Tenant) -> dict[uuid.UUID, tuple[KeySnapshot, ...]]:
    pairs = AssistantKey.objects.filter(assistant__tenant=tenant, key__retired_at__isnull=True)
    opened: dict[uuid.UUID, Credentials | None] = {}
    keys: dict[uuid.UUID, tuple[KeySnapshot, ...]] = {}
    for pair in pairs.select_related("key").order_by("assistant_id", "position", "pk"):
        if pair.key_id not in opened:
            opened[pair.key_id] = _credentials(pair.key)
        credentials = opened[pair.key_id]
        snapshot = KeySnapshot(pair.key_id, credentials, KEY_UNREADABLE if credentials is None else _problem(pair))
        keys[pair.assistant_id] = (*keys.get(pair.assistant_id, ()), snapshot)
    return keys


def _problem(pair: AssistantKey) -> str:
    """The verdict that condemns the key or the pair."""
    for verdict in (pair.key.verdict, pair.verdict):
        if verdict in CONDEMNED:
            return str(verdict)
    return ""


def _credentials(key: ApiKey) -> Credentials | None:
    try:
        return credentials_of(key)
    except KeyUnusable:
        logger.exception("Key %s cannot be used", key.id)
        return None


def _assistant(row: Assistant, keys: tuple[KeySnapshot, ...]) -> AssistantSnapshot:
    return AssistantSnapshot(
        id=row.id,
        slug=row.slug,
        name=row.name,
        backend=row.backend,
        settings=_settings(row),
        keys=keys,
        appearance=Appearance(
            greeting=row.greeting,
            prompts=tuple(row.prompts),
            placeholder=row.placeholder,
            color_scheme=row.color_scheme,
            accent=row.accent,
            launcher_side=row.launcher_side,
            launcher_label=row.launcher_label,
        ),
        agent=None if row.published_version is None else AgentSnapshot.of(row.published_version),
        credential_epoch=row.credential_epoch,
        accepted_file_types=accepted(row.accepted_file_types),
    )


def _settings(row: Assistant) -> SessionSettings | None:
    try:
        return SessionSettings(
            # Nothing is sent of an assistant of our own backend; what its page may do is still asked of these.
            workflow_id=row.workflow_id or NO_WORKFLOW,
            workflow_version=row.workflow_version or None,
            expires_after=row.expires_after,
            max_requests_per_minute=row.max_requests_per_minute,
            history_enabled=row.history_enabled,
            recent_threads=row.recent_threads,
            file_upload_enabled=row.file_upload_enabled,
            max_files=row.max_files,
            max_file_size_mb=row.max_file_size_mb,
            automatic_titles=row.automatic_titles,
            tracing=row.tracing,
        )
    except ValueError:
        logger.exception("Assistant %s cannot be used", row.id)
        return None


def _user_scope(tenant: Tenant) -> Secret | None:
    try:
        return open_user_scope(tenant)
    except SecretError:
        logger.exception("The user scope of tenant %s cannot be used", tenant.id)
        return None


def _upstream(tenant: Tenant) -> UpstreamChoice | None:
    try:
        return upstream(tenant.upstream)
    except KeyError:
        logger.error("Tenant %s names the upstream %r, which OPENAI_BASE_URLS lacks", tenant.id, tenant.upstream)
        return None
