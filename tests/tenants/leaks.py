"""Whether a text gives a secret away: in whole or by any twelve characters of it, plain or in the encodings that pages use."""

import base64
import html
import json
from urllib.parse import quote

SLICE = 12


def leaks_of(secret: str, text: str) -> list[str]:
    """What of the secret was found. Its public ends, “sk-” with the kind and the last four, are no leak."""
    body = secret.rsplit("-", 1)[-1][:-4]
    parts = {body[at : at + SLICE] for at in range(len(body) - SLICE + 1)}
    found = [part for part in parts if part in text or part[::-1] in text]
    found += [form for form in encodings(secret) if form in text]
    return found


def encodings(secret: str) -> list[str]:
    raw = secret.encode()
    encoded = [base64.b64encode(raw[shift:]).decode()[:-4] for shift in range(3)]
    encoded += [base64.urlsafe_b64encode(raw[shift:]).decode()[:-4] for shift in range(3)]
    return [
        *encoded,
        raw.hex(),
        quote(secret, safe=""),
        html.escape(secret),
        json.dumps(secret),
        repr(secret),
        secret[::-1],
    ]
