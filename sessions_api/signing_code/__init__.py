"""Ready code for the tenant's own server, by which it signs who a visitor is: one file for each language, standard library only.

`docs/signed-visitors.md` shows the same texts. Each reads the secret from the environment, and none holds it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

PLACEHOLDER: Final = "tn_PUBLIC_ID"
_FOLDER: Final = Path(__file__).parent
# Name of the file, what people call the language, how its fences are marked.
_LANGUAGES: Final = (
    ("python", "Python", "python"),
    ("node", "Node.js", "js"),
    ("php", "PHP", "php"),
    ("ruby", "Ruby", "ruby"),
    ("go", "Go", "go"),
    ("java", "Java", "java"),
    ("csharp", "C#", "csharp"),
)


@dataclass(frozen=True, slots=True)
class SigningCode:
    name: str
    title: str
    fence: str
    text: str

    def for_tenant(self, public_id: str) -> str:
        return self.text.replace(PLACEHOLDER, public_id)


def signing_code() -> tuple[SigningCode, ...]:
    return tuple(
        SigningCode(name, title, fence, (_FOLDER / f"{name}.txt").read_text(encoding="utf-8"))
        for name, title, fence in _LANGUAGES
    )
