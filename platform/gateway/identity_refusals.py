"""Why a tenant's signed identity is refused: a closed list, each with what it means and the cure.

The tenant's developer reads these in the debugger of the console, the operator in the ledger; the public only learns
`identity_invalid`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class IdentityRefusal(StrEnum):
    MISSING = "jwt_missing"
    TOO_LARGE = "jwt_too_large"
    MALFORMED = "jwt_malformed"
    HEADER = "jwt_header"
    ALGORITHM = "jwt_algorithm"
    NO_KEY = "jwt_no_key"
    SIGNATURE = "jwt_signature"
    PAYLOAD = "jwt_payload"
    AUD_MISSING = "jwt_aud_missing"
    AUDIENCE = "jwt_audience"
    SUB_MISSING = "jwt_sub_missing"
    SUB_INVALID = "jwt_sub_invalid"
    JTI_MISSING = "jwt_jti_missing"
    JTI_INVALID = "jwt_jti_invalid"
    EXP_MISSING = "jwt_exp_missing"
    EXP_INVALID = "jwt_exp_invalid"
    IAT_MISSING = "jwt_iat_missing"
    IAT_INVALID = "jwt_iat_invalid"
    NBF_INVALID = "jwt_nbf_invalid"
    LIFETIME = "jwt_lifetime"
    EXPIRED = "jwt_expired"
    NOT_YET = "jwt_not_yet"
    REPLAYED = "jwt_replayed"

    @property
    def words(self) -> "RefusalWords":
        return _WORDS[self]


@dataclass(frozen=True, slots=True)
class RefusalWords:
    sentence: str
    cure: str


_NUMBER: Final = "Write a number of seconds since 1970, not a text, a date or milliseconds."
_CLOCK: Final = "Set the clock of the server that signs, by NTP; up to two minutes of difference are allowed for."

_WORDS: Final[dict[IdentityRefusal, RefusalWords]] = {
    IdentityRefusal.MISSING: RefusalWords(
        "There was no signed identity.",
        "In the mode “required” the page must send the identity_token that the tenant's own server signs for the visitor.",
    ),
    IdentityRefusal.TOO_LARGE: RefusalWords(
        "The token has more than 4,096 characters.",
        "Leave out claims that the chat doesn't need, such as pictures or roles.",
    ),
    IdentityRefusal.MALFORMED: RefusalWords(
        "This is no JWT: three parts in base64url without padding, separated by dots, the first a JSON object.",
        "Send the token exactly as the library gave it: no “Bearer ”, no quotes, no line breaks, not encrypted (JWE).",
    ),
    IdentityRefusal.HEADER: RefusalWords(
        "The token's header has “crit”, “b64” or “zip”, which change how it is to be read.",
        "Sign a plain JWT; its header needs “alg” and nothing else.",
    ),
    IdentityRefusal.ALGORITHM: RefusalWords(
        "The token is signed by another algorithm than the tenant's, or by none.",
        "Sign with the algorithm that stands on the tenant's page, or choose the other one there and add its key.",
    ),
    IdentityRefusal.NO_KEY: RefusalWords(
        "The tenant has no signing key that counts for its algorithm, or the platform can't open the stored secret.",
        "Add a key on the tenant's page. If there is one, the log names a missing key in MASTER_KEYS.",
    ),
    IdentityRefusal.SIGNATURE: RefusalWords(
        "The signature fits none of the tenant's active keys.",
        "Sign with the secret that was shown when it was made, as text, without decoding it; or with the private key that "
        "belongs to the public key here. After a change of keys, restart the server that signs.",
    ),
    IdentityRefusal.PAYLOAD: RefusalWords(
        "The signed content is no JSON object, or names a claim twice.",
        "Let a JWT library, or the ready code of the console, write it.",
    ),
    IdentityRefusal.AUD_MISSING: RefusalWords(
        "The claim “aud” is missing.", "Set it to the tenant's public ID (tn_…)."
    ),
    IdentityRefusal.AUDIENCE: RefusalWords(
        "The claim “aud” is not this tenant's public ID.",
        "Set it to exactly this tenant's public ID (tn_…), as one text or a list with that one entry.",
    ),
    IdentityRefusal.SUB_MISSING: RefusalWords(
        "The claim “sub” is missing.", "Set it to your own unchanging ID of the visitor."
    ),
    IdentityRefusal.SUB_INVALID: RefusalWords(
        "The claim “sub” is no text of 1 to 255 bytes.",
        'Write your ID of the visitor as a text: "42", not 42. An e-mail address may change; an ID should not.',
    ),
    IdentityRefusal.JTI_MISSING: RefusalWords(
        "The claim “jti” is missing.",
        "Set it to a fresh random text for each token, such as a UUID: a token counts once.",
    ),
    IdentityRefusal.JTI_INVALID: RefusalWords(
        "The claim “jti” is no text of 1 to 128 characters.",
        "Set it to a fresh random text for each token, such as a UUID.",
    ),
    IdentityRefusal.EXP_MISSING: RefusalWords("The claim “exp” is missing.", "Set it to a few minutes after “iat”."),
    IdentityRefusal.EXP_INVALID: RefusalWords("The claim “exp” is no number.", _NUMBER),
    IdentityRefusal.IAT_MISSING: RefusalWords("The claim “iat” is missing.", "Set it to the time of signing."),
    IdentityRefusal.IAT_INVALID: RefusalWords("The claim “iat” is no number.", _NUMBER),
    IdentityRefusal.NBF_INVALID: RefusalWords("The claim “nbf” is no number.", _NUMBER + " Or leave it out."),
    IdentityRefusal.LIFETIME: RefusalWords(
        "From “iat” to “exp” it is more than ten minutes, or “exp” is no later than “iat”.",
        "Let the token live for five minutes, and sign a new one for each page that opens the chat. Both times are seconds.",
    ),
    IdentityRefusal.EXPIRED: RefusalWords(
        "The token has expired.",
        "Sign a new one for each page, and don't cache the page. " + _CLOCK,
    ),
    IdentityRefusal.NOT_YET: RefusalWords(
        "The token's “iat” or “nbf” lies in the future.",
        "Write seconds since 1970, not milliseconds. " + _CLOCK,
    ),
    IdentityRefusal.REPLAYED: RefusalWords(
        "This very token has opened a chat before, in another browser or without the visitor token that came with it.",
        "Sign a new token for each page, and keep pages with a token in them out of every cache. If you do, a token may have "
        "been stolen.",
    ),
}
