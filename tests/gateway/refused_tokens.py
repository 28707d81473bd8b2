"""T7: tokens that must be refused, each with the reason. Both the function and the endpoint go through this table."""

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.identity_refusals import IdentityRefusal as R
from tests.gateway.signing import Signer, b64, claims, part, two_signers


@dataclass(frozen=True)
class Scene:
    """A tenant that signs by `signer`, and what an attacker has: another tenant's key, and everything that is public."""

    public_id: str
    other_public_id: str
    now: int
    signer: Signer
    stranger: Signer

    def claims(self, **changes: Any) -> dict[str, Any]:
        return claims(self.public_id, self.now, **changes)

    def good(self, **changes: Any) -> str:
        return self.signer.token(self.claims(**changes))


@dataclass(frozen=True)
class Case:
    name: str
    reason: R
    make: Callable[[Scene], str]
    algorithm: str = "HS256"

    def __str__(self) -> str:
        return f"{self.algorithm} {self.name}"


def _with_header(**changes: Any) -> Callable[[Scene], str]:
    return lambda s: s.signer.token(s.claims(), {"alg": s.signer.algorithm, "typ": "JWT"} | changes)


def _claims(**changes: Any) -> Callable[[Scene], str]:
    return lambda s: s.good(**changes)


def _times(iat: float, exp: float, **more: float) -> Callable[[Scene], str]:
    """Seconds from now."""
    return lambda s: s.good(iat=s.now + iat, exp=s.now + exp, **{name: s.now + at for name, at in more.items()})


def _unsigned(alg: str, signature: str = "") -> Callable[[Scene], str]:
    return lambda s: f"{part({'alg': alg, 'typ': 'JWT'})}.{part(s.claims())}.{signature}"


def _confused(alg: str, spell: Callable[[str], str]) -> Callable[[Scene], str]:
    """Signed by HMAC with the public key as its secret, in one of the spellings that a library may have in hand."""

    def make(s: Scene) -> str:
        text = f"{part({'alg': alg, 'typ': 'JWT'})}.{part(s.claims())}"
        return f"{text}.{b64(hmac.digest(spell(s.signer.pem).encode(), text.encode(), 'sha256'))}"

    return make


def _payload(text: str) -> Callable[[Scene], str]:
    """The claims as JSON, with `text` put in before the closing brace."""
    return lambda s: s.signer.token((json.dumps(s.claims())[:-1] + text + "}").encode())


def _spoiled(spoil: Callable[[str], str]) -> Callable[[Scene], str]:
    return lambda s: spoil(s.good())


def _swapped_payload(s: Scene) -> str:
    """A good token's head and signature round another payload: two tokens that begin alike."""
    head, _payload, signature = s.good().split(".")
    return f"{head}.{part(s.claims(sub='user-43'))}.{signature}"


def _signature_of_another(s: Scene) -> str:
    return s.good().rpartition(".")[0] + "." + s.good().rpartition(".")[2]


def _last_bit_flipped(token: str) -> str:
    """Another spelling of the same 32 bytes: the last character's unused bits."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


def _padded(token: str) -> str:
    return ".".join(piece + "=" * (-len(piece) % 4) for piece in token.split("."))


_LONG = "x" * 4_000
CASES = [
    # The form.
    Case("empty", R.MALFORMED, lambda s: ""),
    Case("one word", R.MALFORMED, lambda s: "token"),
    Case("two parts", R.MALFORMED, _spoiled(lambda token: token.rpartition(".")[0])),
    Case("four parts", R.MALFORMED, _spoiled(lambda token: token + ".AAAA")),
    Case("an encrypted token has five", R.MALFORMED, lambda s: "e30.AAAA.AAAA.AAAA.AAAA"),
    Case("Bearer before it", R.MALFORMED, _spoiled(lambda token: "Bearer " + token)),
    Case("in quotes", R.MALFORMED, _spoiled(lambda token: f'"{token}"')),
    Case("a line break after it", R.MALFORMED, _spoiled(lambda token: token + "\n")),
    Case("padding", R.MALFORMED, _spoiled(_padded)),
    Case("the other alphabet", R.MALFORMED, _spoiled(lambda token: token[:-4] + "+/+/")),
    Case("not ASCII", R.MALFORMED, _spoiled(lambda token: token[:-1] + "é")),
    Case("NUL", R.MALFORMED, _spoiled(lambda token: token[:-1] + "\x00")),
    Case("another spelling of the signature", R.MALFORMED, _spoiled(_last_bit_flipped)),
    Case("header no JSON", R.MALFORMED, lambda s: s.signer.token(s.claims(), b"alg=HS256")),
    Case("header a list", R.MALFORMED, lambda s: s.signer.token(s.claims(), [{"alg": "HS256"}])),
    Case("header a number", R.MALFORMED, lambda s: s.signer.token(s.claims(), 7)),
    Case("header names alg twice", R.MALFORMED, lambda s: s.signer.token(s.claims(), b'{"alg":"none","alg":"HS256"}')),
    Case("header nested without end", R.MALFORMED, lambda s: s.signer.token({}, b'{"a":' + b"[" * 2_500)),
    Case("header in UTF-16", R.MALFORMED, lambda s: s.signer.token(s.claims(), '{"alg":"HS256"}'.encode("utf-16"))),
    Case("oversized", R.TOO_LARGE, _claims(picture=_LONG)),
    Case("oversized and nonsense", R.TOO_LARGE, lambda s: "." * 4_097),
    Case("one character too long", R.TOO_LARGE, lambda s: _exactly(s, 4_097)),
    # The algorithm.
    Case("alg none", R.ALGORITHM, _unsigned("none")),
    Case("alg None", R.ALGORITHM, _unsigned("None")),
    Case("alg NONE with a signature", R.ALGORITHM, _unsigned("NONE", "AAAA")),
    Case("alg missing", R.ALGORITHM, lambda s: s.signer.token(s.claims(), {"typ": "JWT"})),
    Case("alg null", R.ALGORITHM, _with_header(alg=None)),
    Case("alg a list", R.ALGORITHM, _with_header(alg=["HS256"])),
    Case("alg in small letters", R.ALGORITHM, _with_header(alg="hs256")),
    Case("alg HS512", R.ALGORITHM, _with_header(alg="HS512")),
    Case("alg with a blank", R.ALGORITHM, _with_header(alg="HS256 ")),
    Case("RS256 at a tenant of HS256", R.ALGORITHM, lambda s: two_signers("RS256")[0].token(s.claims())),
    Case("EdDSA at a tenant of HS256", R.ALGORITHM, lambda s: two_signers("EdDSA")[0].token(s.claims())),
    Case("the public key as HMAC secret", R.ALGORITHM, _confused("HS256", str), "RS256"),
    Case("the public key as HMAC secret", R.SIGNATURE, _confused("RS256", str), "RS256"),
    Case("the public key, stripped", R.ALGORITHM, _confused("HS256", str.strip), "RS256"),
    Case("the public key as HMAC secret", R.ALGORITHM, _confused("HS256", str), "EdDSA"),
    Case("the public key as HMAC secret", R.SIGNATURE, _confused("EdDSA", str), "EdDSA"),
    Case("alg none", R.ALGORITHM, _unsigned("none"), "EdDSA"),
    Case("alg none", R.ALGORITHM, _unsigned("none"), "RS256"),
    Case("alg PS256", R.ALGORITHM, _with_header(alg="PS256"), "RS256"),
    Case("alg RS512", R.ALGORITHM, _with_header(alg="RS512"), "RS256"),
    Case("alg ES256", R.ALGORITHM, _with_header(alg="ES256"), "EdDSA"),
    # The header.
    Case("crit", R.HEADER, _with_header(crit=["exp"])),
    Case("crit empty", R.HEADER, _with_header(crit=[])),
    Case("b64 false", R.HEADER, _with_header(b64=False)),
    Case("b64 false and critical", R.HEADER, _with_header(b64=False, crit=["b64"])),
    Case("b64 true", R.HEADER, _with_header(b64=True)),
    Case("zip", R.HEADER, _with_header(zip="DEF")),
    # The signature. What a header says about keys is never followed.
    Case("another tenant's secret", R.SIGNATURE, lambda s: s.stranger.token(s.claims())),
    Case("another tenant's key", R.SIGNATURE, lambda s: s.stranger.token(s.claims()), "EdDSA"),
    Case("another tenant's key", R.SIGNATURE, lambda s: s.stranger.token(s.claims()), "RS256"),
    Case("no signature", R.SIGNATURE, _unsigned("HS256")),
    Case("no signature", R.SIGNATURE, _unsigned("EdDSA"), "EdDSA"),
    Case("no signature", R.SIGNATURE, _unsigned("RS256"), "RS256"),
    Case("of zeros", R.SIGNATURE, _unsigned("HS256", "A" * 42 + "A")),
    Case("of zeros", R.SIGNATURE, _unsigned("EdDSA", b64(bytes(64))), "EdDSA"),
    Case("half a signature", R.SIGNATURE, _spoiled(lambda token: token.rpartition(".")[0] + ".AAAA")),
    Case("another payload under it", R.SIGNATURE, _swapped_payload),
    Case("the signature of a token that begins alike", R.SIGNATURE, _signature_of_another),
    Case("HMAC with nothing", R.SIGNATURE, lambda s: Signer("HS256").token(s.claims())),
    Case("HMAC with the public ID", R.SIGNATURE, lambda s: Signer("HS256", secret=s.public_id).token(s.claims())),
    Case("kid traverses", R.SIGNATURE, lambda s: _by_stranger(s, kid="../../../../dev/null")),
    Case("kid of a query", R.SIGNATURE, lambda s: _by_stranger(s, kid="' UNION SELECT 'secret' --")),
    Case("kid of the other tenant", R.SIGNATURE, lambda s: _by_stranger(s, kid=s.other_public_id)),
    Case("a key of its own, jwk", R.SIGNATURE, lambda s: _by_stranger(s, jwk={"kty": "oct", "k": "AAAA"})),
    Case("a key elsewhere, jku", R.SIGNATURE, lambda s: _by_stranger(s, jku="http://127.0.0.1:9/keys.json")),
    Case("a certificate, x5u", R.SIGNATURE, lambda s: _by_stranger(s, x5u="file:///etc/passwd", x5c=["AAAA"])),
    # The payload.
    Case("payload no JSON", R.PAYLOAD, lambda s: s.signer.token(b"sub=user-42")),
    Case("payload a list", R.PAYLOAD, lambda s: s.signer.token([s.claims()])),
    Case("payload a text", R.PAYLOAD, lambda s: s.signer.token("user-42")),
    Case("payload another JWT", R.PAYLOAD, lambda s: s.signer.token(s.good().encode(), {"alg": "HS256", "cty": "JWT"})),
    Case("sub twice", R.PAYLOAD, _payload(',"sub":"user-43"')),
    Case("NaN", R.PAYLOAD, _payload(',"score":NaN')),
    Case("nested without end", R.PAYLOAD, lambda s: s.signer.token(b'{"a":' + b"[" * 2_500)),
    # The claims.
    Case("no aud", R.AUD_MISSING, _claims(aud=None)),
    Case("other aud", R.AUDIENCE, lambda s: s.good(aud=s.other_public_id)),
    Case("aud in capitals", R.AUDIENCE, lambda s: s.good(aud=s.public_id.swapcase())),
    Case("aud with a blank", R.AUDIENCE, lambda s: s.good(aud=s.public_id + " ")),
    Case("aud of two", R.AUDIENCE, lambda s: s.good(aud=[s.public_id, s.other_public_id])),
    Case("aud twice the same", R.AUDIENCE, lambda s: s.good(aud=[s.public_id, s.public_id])),
    Case("aud an empty list", R.AUDIENCE, _claims(aud=[])),
    Case("aud an object", R.AUDIENCE, lambda s: s.good(aud={"id": s.public_id})),
    Case("no sub", R.SUB_MISSING, _claims(sub=None)),
    Case("sub empty", R.SUB_INVALID, _claims(sub="")),
    Case("sub a number", R.SUB_INVALID, _claims(sub=42)),
    Case("sub a list", R.SUB_INVALID, _claims(sub=["user-42"])),
    Case("sub of 256 bytes", R.SUB_INVALID, _claims(sub="x" * 256)),
    Case("sub of 128 letters that take 256 bytes", R.SUB_INVALID, _claims(sub="ü" * 128)),
    Case("sub no text after all", R.SUB_INVALID, _claims(sub="\ud800")),
    Case("no jti", R.JTI_MISSING, _claims(jti=None)),
    Case("jti empty", R.JTI_INVALID, _claims(jti="")),
    Case("jti a number", R.JTI_INVALID, _claims(jti=7)),
    Case("jti of 129 characters", R.JTI_INVALID, _claims(jti="x" * 129)),
    Case("jti no text after all", R.JTI_INVALID, _claims(jti="\udfff")),
    Case("no exp", R.EXP_MISSING, _claims(exp=None)),
    Case("exp a text", R.EXP_INVALID, lambda s: s.good(exp=str(s.now + 300))),
    Case("exp true", R.EXP_INVALID, _claims(exp=True)),
    Case("exp beyond all numbers", R.EXP_INVALID, lambda s: s.signer.token(_text(s, "exp", "1e999"))),
    Case("exp negative", R.EXP_INVALID, _claims(exp=-1)),
    Case("no iat", R.IAT_MISSING, _claims(iat=None)),
    Case("iat a date", R.IAT_INVALID, _claims(iat="2026-01-01T00:00:00Z")),
    Case("iat a list", R.IAT_INVALID, lambda s: s.good(iat=[s.now])),
    Case("nbf a text", R.NBF_INVALID, _claims(nbf="now")),
    Case("in milliseconds", R.LIFETIME, lambda s: s.good(iat=s.now * 1000, exp=(s.now + 300) * 1000)),
    Case("eleven minutes", R.LIFETIME, _times(0, 660)),
    Case("ten minutes and a second", R.LIFETIME, _times(0, 601)),
    Case("a year", R.LIFETIME, _times(0, 31_536_000)),
    Case("iat from long ago to now", R.LIFETIME, _times(-3_600, 300)),
    Case("exp before iat", R.LIFETIME, _times(60, 0)),
    Case("exp at iat", R.LIFETIME, _times(0, 0)),
    Case("expired", R.EXPIRED, _times(-600, -300)),
    Case("expired just now", R.EXPIRED, _times(-420, -121)),
    Case("iat to come", R.NOT_YET, _times(300, 600)),
    Case("nbf to come", R.NOT_YET, _times(0, 600, nbf=300)),
]


def scene_for(algorithm: str, *, public_id: str, other_public_id: str, now: int) -> Scene:
    signer, stranger = two_signers(algorithm)
    return Scene(public_id, other_public_id, now, signer, stranger)


def _by_stranger(s: Scene, **header: Any) -> str:
    return s.stranger.token(s.claims(), {"alg": s.stranger.algorithm, "typ": "JWT"} | header)


def _text(s: Scene, name: str, number: str) -> bytes:
    """The claims as JSON, one number written as it stands."""
    return json.dumps(s.claims() | {name: "@"}).replace('"@"', number).encode()


def _exactly(s: Scene, length: int) -> str:
    """A token of this many characters, or of one more or less: base64 has no text of every length."""
    filler = 0
    while len(token := s.good(filler="x" * filler)) < length:
        filler += 1
    return token
