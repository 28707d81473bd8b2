"""Limits: site defaults, of which a tenant may have its own; and what bounds one process."""

from config.settings.environment import env

SESSIONS_PER_MINUTE_TENANT = env.int("SESSIONS_PER_MINUTE_TENANT", default=600)
SESSIONS_PER_MINUTE_VISITOR = env.int("SESSIONS_PER_MINUTE_VISITOR", default=10)
SESSIONS_PER_MINUTE_ADDRESS = env.int("SESSIONS_PER_MINUTE_ADDRESS", default=120)
NEW_VISITORS_PER_MINUTE_TENANT = env.int("NEW_VISITORS_PER_MINUTE_TENANT", default=300)
# Quotas; 0 is none.
SESSIONS_PER_DAY_TENANT = env.int("SESSIONS_PER_DAY_TENANT", default=0)
SESSIONS_PER_MONTH_TENANT = env.int("SESSIONS_PER_MONTH_TENANT", default=0)
# Names of limits that refuse nobody yet: what they would refuse is noted in the ledger.
LIMITS_LOG_ONLY: list[str] = env.list("LIMITS_LOG_ONLY", default=[])
TENANT_CONCURRENCY = env.int("TENANT_CONCURRENCY", default=64)
PROCESS_CONCURRENCY = env.int("PROCESS_CONCURRENCY", default=2000)
# Chats that the platform serves itself: messages a minute, and tokens a day (0 is none).
MESSAGES_PER_MINUTE_TENANT = env.int("MESSAGES_PER_MINUTE_TENANT", default=120)
MESSAGES_PER_MINUTE_VISITOR = env.int("MESSAGES_PER_MINUTE_VISITOR", default=20)
TOKENS_PER_DAY_TENANT = env.int("TOKENS_PER_DAY_TENANT", default=0)
TOKENS_PER_DAY_VISITOR = env.int("TOKENS_PER_DAY_VISITOR", default=0)
