"""A planted key, and a search for it in whatever form it could have leaked."""

import base64
import secrets
import string
from dataclasses import dataclass

ALPHABET = string.ascii_letters + string.digits
SLICE = 12


@dataclass(frozen=True)
class Canary:
    """A key made for one test. `text` is what OpenAI would have given."""

    text: str

    @classmethod
    def plant(cls, prefix: str) -> "Canary":
        return cls(prefix + "".join(secrets.choice(ALPHABET) for _ in range(40)))

    @property
    def forms(self) -> dict[str, bytes]:
        """How it might appear, by name; the slices find partial copies, such as a mask that shows too much."""
        secret = self.text[-40:]
        forms = {
            "reversed": secret[::-1],
            "hex": secret.encode().hex(),
            "url": "".join(f"%{ord(character):02x}" for character in secret),
            "percent": "".join(f"%{ord(character):02X}" for character in secret),
            "json": "".join(f"\\u{ord(character):04x}" for character in secret[:20]),
        }
        forms.update({f"slice {start}": secret[start : start + SLICE] for start in range(len(secret) - SLICE + 1)})
        encoded = {name: form.encode() for name, form in forms.items()}
        for shift in range(3):
            # What base64 makes of the middle, wherever the key stands in the encoded whole.
            whole = base64.b64encode(b"." * shift + self.text.encode())
            encoded[f"base64 {shift}"] = whole[8:-4]
            encoded[f"base64url {shift}"] = whole[8:-4].replace(b"+", b"-").replace(b"/", b"_")
        return encoded

    def found_in(self, haystack: bytes | str) -> list[str]:
        data = haystack.encode() if isinstance(haystack, str) else haystack
        return [name for name, form in self.forms.items() if form in data]
