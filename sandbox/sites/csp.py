"""The Content-Security-Policy of a demo site: what docs/embedding.md asks a tenant's page to allow, and no more.

The launcher needs its script and the session endpoint (the platform's origin); ChatKit needs its script, its frame and
its API (OpenAI's origins). The stand-in takes all three from the sandbox's origin; its frame is that of the custom mode.
"""

from __future__ import annotations

from sandbox.sites.config import Site

OPENAI_SCRIPTS = "https://cdn.platform.openai.com"
OPENAI_API = "https://api.openai.com"


def policy_of(site: Site) -> str:
    stand_in = site.chatkit or "http://127.0.0.1:*"
    platform = site.platform
    scripts = _sources("'self'", platform, OPENAI_SCRIPTS, stand_in)
    calls = _sources("'self'", platform, OPENAI_API, stand_in)
    if not platform:  # A static app names its platform in config.json, which may be any port of this machine.
        calls = _sources(calls, "http://127.0.0.1:*")
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {scripts}",
            f"connect-src {calls}",
            f"frame-src {_sources(OPENAI_SCRIPTS, stand_in)}",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def _sources(*sources: str) -> str:
    return " ".join(dict.fromkeys(source for source in sources if source))
