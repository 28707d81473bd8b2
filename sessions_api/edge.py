"""How background work reaches OpenAI: a transport with the operator's addresses, and the credentials of a stored key."""

from django.conf import settings

from chatkit_client.transport import Credentials, Transport
from tenants.keys import open_key
from tenants.models import ApiKey


def make_transport(*, connections: int) -> Transport:
    """One transport for one event loop; enter it there. `connections` bounds how many calls are under way."""
    return Transport(
        allowed_base_urls=settings.OPENAI_BASE_URLS.values(), limit=connections, ca_file=settings.OPENAI_CA_FILE or None
    )


def credentials_of(key: ApiKey) -> Credentials:
    """Raises SecretError where the stored key cannot be opened."""
    return Credentials(open_key(key), organization=key.organization, project=key.project)
