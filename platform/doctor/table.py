"""All checks of the site, in the order in which they are to be mended: what stands below may fail by what stands above."""

from typing import Final

from doctor import ground_checks, web_checks, work_checks
from doctor.findings import Check

SITE: Final = (
    Check("database", "database and migrations", ground_checks.database),
    Check("cache", "cache", ground_checks.cache_answers),
    Check("keys", "master and signing keys", ground_checks.keys),
    Check("broker", "broker", work_checks.broker),
    Check("worker", "worker", work_checks.worker),
    Check("beat", "beat", work_checks.beat),
    Check("spool", "spool", ground_checks.spool),
    Check("disks", "disks", ground_checks.disks),
    Check("clock", "clock, and the way to OpenAI", web_checks.clock),
    Check("platform_url", "PLATFORM_URL", web_checks.platform_url),
    Check("scripts", "embed script", web_checks.scripts, deadline=20.0),
    Check("preview_origin", "PREVIEW_ORIGIN", ground_checks.preview_origin),
    Check("proxies", "TRUSTED_PROXY_COUNT", ground_checks.proxies),
    Check("chats", "chats served here", web_checks.chats),
    Check("sunset", "sunset of workflows", ground_checks.sunset),
)
