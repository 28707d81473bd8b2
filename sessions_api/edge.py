"""How background work reaches OpenAI: a transport with the operator's addresses.

For key_health, too: both rooms call OpenAI outside of requests, and this is the lower one.
"""

from django.conf import settings

from chatkit_client.transport import Transport


def make_transport(*, connections: int) -> Transport:
    """One transport for one event loop; enter it there. `connections` bounds how many calls are under way."""
    return Transport(
        allowed_base_urls=settings.OPENAI_BASE_URLS.values(), limit=connections, ca_file=settings.OPENAI_CA_FILE or None
    )
