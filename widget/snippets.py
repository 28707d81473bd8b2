"""What a tenant's web developer pastes: the script tag, the lines of a Content-Security-Policy, the React settings. Pure."""

from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Place:
    """Where things are: the platform's public address without a trailing slash, and the tenant's OpenAI."""

    platform_url: str
    chatkit_js: str
    openai_base_url: str


def moving_snippet(place: Place, public_id: str, *, assistant: str = "") -> str:
    """The line that always loads the current script."""
    return _tag(src=f"{place.platform_url}/widget/v1/embed.js", public_id=public_id, assistant=assistant)


def pinned_snippet(place: Place, public_id: str, *, version: str, sri: str, assistant: str = "") -> str:
    """The line that loads exactly this release, or nothing: the browser compares its hash."""
    return _tag(
        src=f"{place.platform_url}/widget/{version}/embed.js",
        integrity=sri,
        crossorigin="anonymous",
        public_id=public_id,
        assistant=assistant,
    )


def csp_lines(place: Place) -> dict[str, str]:
    """Sources that the page's own policy must allow, by directive; the launcher needs no inline style or script."""
    chatkit, openai = origin_of(place.chatkit_js), origin_of(place.openai_base_url)
    platform = origin_of(place.platform_url)
    return {
        "script-src": f"{platform} {chatkit}",
        "connect-src": _once(platform, openai),
        "frame-src": chatkit,
    }


def csp_text(place: Place) -> str:
    return "\n".join(f"{directive} {sources};" for directive, sources in csp_lines(place).items())


def react_settings(place: Place, public_id: str) -> str:
    """The `.env` of the React example, and of the integration guide's own component."""
    return f"VITE_API_URL={place.platform_url}/api/v1/tenants/{public_id}"


def curl_command(place: Place, public_id: str, origin: str) -> str:
    """The guide's own test with the header that a browser would send: without it no page could be told from another."""
    return (
        f"curl -X POST {place.platform_url}/api/v1/tenants/{public_id}/chatkit/session/ \\\n"
        f'  -H "Origin: {origin}" -H "Content-Type: application/json"'
    )


def verification_tag(key: str) -> str:
    return f'<meta name="openai-domain-verify" content="{escape(key)}">'


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _tag(*, src: str, public_id: str, assistant: str, integrity: str = "", crossorigin: str = "") -> str:
    attributes = {
        "src": src,
        "integrity": integrity,
        "crossorigin": crossorigin,
        "data-tenant": public_id,
        "data-assistant": assistant,
    }
    written = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items() if value)
    return f"<script async {written}></script>"


def _once(*sources: str) -> str:
    return " ".join(dict.fromkeys(sources))
