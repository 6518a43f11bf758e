"""What every kind of message must withstand: form, header, signature, time, claims."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from tests.vectors.device.signing import (
    DEVICE,
    ED_DEVICE,
    ORDER_ED25519,
    ORDER_P256,
    OTHER,
    EdDsa,
    Json,
    Key,
    b64,
    dumps,
    hs256,
    joined,
    message,
    pem_of,
    raw_token,
    unb64,
    with_signature,
)

NOW: Final = 1_790_000_000
AUDIENCE: Final = "https://idp.example.org/metadata"
URL: Final = "https://idp.example.org/device/v1/approvals"
ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
TYPES: Final = ("enrol+jws", "device+jws", "answer+jws")

ENROLMENT: Final[Json] = {
    "aud": AUDIENCE,
    "iat": NOW,
    "jti": "c2FtbC1pZHAtdmVjdG9yMQ",
    "code": "0a1B2c3D4e5F6g7H8i9J0k",
    "device_name": "Alice’s phone",
}
CALL: Final[Json] = {
    "aud": AUDIENCE,
    "iat": NOW,
    "jti": "c2FtbC1pZHAtdmVjdG9yMg",
    "iss": "dGVzdC1kZXZpY2UtMDAwMQ",
    "htm": "GET",
    "htu": URL,
}
ANSWER: Final[Json] = {
    "aud": AUDIENCE,
    "iat": NOW,
    "jti": "c2FtbC1pZHAtdmVjdG9yMw",
    "iss": "dGVzdC1kZXZpY2UtMDAwMQ",
    "approval": "YXBwcm92YWwtMDAwMDAwMDAwMQ",
    "attempt": "YXR0ZW1wdC0wMDAwMDAwMDAwMQ",
    "id": "alice",
    "provider": "https://jira.example.org/plugins/servlet/samlsso",
    "provider_name": "Jira",
    "nonce": "bm9uY2Utb2YtMTI4LWJpdA",
    "verdict": "approve",
    "symbols": "K3QA",
    "exp": NOW + 60,
}


@dataclass
class Kind:
    """One kind of message, and the cases that were made for it."""

    typ: str
    claims: Json
    cases: list[Json] = field(default_factory=list)

    def header(self, key: Key = DEVICE, /, **changes: Any) -> Json:
        header: Json = {"alg": key.alg, "typ": self.typ}
        if self.typ == "enrol+jws":
            header["jwk"] = key.jwk
        return {**header, **changes}

    def message(self, key: Key = DEVICE, /, **changes: Any) -> str:
        return message(self.header(key), {**self.claims, **changes}, key)

    def add(
        self, name: str, text: str, expected: str, *, key: Key = DEVICE, now: int = NOW, **more: Any
    ) -> None:
        """Note that *text* gives *expected* at *now*, verified with *key*'s stored JWK."""
        case: Json = {"name": name, "message": text, "expected": expected, "now": now}
        if self.typ != "enrol+jws":
            case["public_key"] = dumps(dict(sorted(key.jwk.items()))).decode()
        case["expected_audience"] = AUDIENCE
        if self.typ == "device+jws":
            case |= {"expected_method": "GET", "expected_url": URL}
        if expected == "ok":
            case["claims"] = json.loads(unb64(text.split(".")[1]))
        self.cases.append(case | more)


def add_common(kind: Kind) -> None:
    """Add what every kind of message must withstand."""
    _good(kind)
    _form(kind)
    _header(kind)
    _algorithm(kind)
    _signature(kind)
    _time(kind)
    _claims(kind)


def _good(kind: Kind) -> None:
    kind.add("ES256", kind.message(), "ok")
    kind.add("EdDSA", kind.message(ED_DEVICE), "ok", key=ED_DEVICE)
    spaced = json.dumps(kind.claims, indent=2, ensure_ascii=True).encode()
    kind.add(
        "JSON with white space and escapes", joined(dumps(kind.header()), spaced, DEVICE), "ok"
    )
    backwards = dumps(dict(reversed(kind.claims.items())))
    kind.add("claims in another order", joined(dumps(kind.header()), backwards, DEVICE), "ok")
    turned = dumps(dict(reversed(kind.header().items())))
    kind.add("header in another order", joined(turned, dumps(kind.claims), DEVICE), "ok")
    kind.add("the longest message allowed, 8192 characters", _of_length(kind, 8192), "ok")


def _of_length(kind: Kind, length: int) -> str:
    """A message of *length* characters, padded by white space in its JSON."""
    for in_header in range(4):
        header = dumps(kind.header()) + b" " * in_header
        room = length - len(b64(header)) - 2 - 86
        payload = dumps(kind.claims)
        payload += b" " * (room * 3 // 4 - len(payload))
        if len(text := joined(header, payload, DEVICE)) == length:
            return text
    raise ValueError(length)


def _form(kind: Kind) -> None:
    good = kind.message()
    header, payload, signature = good.split(".")
    for name, text in {
        "nothing": "",
        "one part": header,
        "two parts": f"{header}.{payload}",
        "four parts": f"{good}.{signature}",
        "five parts, as JWE has": f"{good}.{signature}.{signature}",
        "a dot at the end": f"{good}.",
        "a dot at the beginning": f".{good}",
        "an empty header": f".{payload}.{signature}",
        "an empty payload": f"{header}..{signature}",
        "an empty signature": f"{header}.{payload}.",
        "a space before": f" {good}",
        "a space after": f"{good} ",
        "a line end after": f"{good}\n",
        "a line end inside": f"{header}.\n{payload}.{signature}",
        "NUL after": f"{good}\0",
        "padding of the header": f"{header}=.{payload}.{signature}",
        "padding of the payload": f"{header}.{payload}=.{signature}",
        "padding of the signature": f"{good}==",
        "data after the signature": f"{good}AAAA!",
        "percent encoded": good.replace(".", "%2E"),
        "a letter that is not ASCII": f"{header}.{payload}é.{signature}",
        "full-width letters": f"{header}.{payload}.{signature[:-1]}\uff21",
        "a lone surrogate": f"{header}.{payload}.{signature[:-1]}\ud800",
        "an impossible length of base64": f"{header}.{payload}.{signature}AAA",
        "quoted": f'"{good}"',
        "the JSON serialisation": dumps(
            {"protected": header, "payload": payload, "signature": signature}
        ).decode(),
        "other trailing bits of the signature": f"{header}.{payload}.{_other_bits(signature)}",
        "unprotected garbage": "garbage",
    }.items():
        kind.add(name, text, "malformed")
    kind.add("the ordinary base64 alphabet", _ordinary_alphabet(kind), "malformed")
    kind.add("other trailing bits of the payload", _with_trailing_bits(kind), "malformed")
    kind.add("8193 characters", _of_length(kind, 8193), "too_large")
    kind.add("a megabyte would be the same: 9000 dots", "." * 9000, "too_large")
    for name, octets in _not_objects().items():
        signed = joined(octets, dumps(kind.claims), DEVICE)
        kind.add(f"header: {name}", signed, "malformed")
        signed = joined(dumps(kind.header()), octets, DEVICE)
        kind.add(f"payload: {name}", signed, "malformed")


def _not_objects() -> dict[str, bytes]:
    return {
        "an array": b"[]",
        "a text": b'"text"',
        "a number": b"1",
        "null": b"null",
        "not JSON": b"{",
        "two objects": b"{}{}",
        "a comma at the end": b'{"a":1,}',
        "single quotes": b"{'a':1}",
        "a comment": b"{}/**/",
        "NaN": b'{"iat":NaN}',
        "not UTF-8": b'{"a":"\xff"}',
        "UTF-16": '{"a":1}'.encode("utf-16"),
        "a byte order mark": b"\xef\xbb\xbf{}",
        "an overlong NUL": b'{"a":"\xc0\x80"}',
        "half of a surrogate pair": b'{"a":"\\ud800"}',
        "a raw line end in a text": b'{"a":"\n"}',
        "deep nesting": b'{"a":' + b"[" * 1500 + b"]" * 1500 + b"}",
        "deeper nesting": b"[" * 3000,
        "a number of 4 500 digits": b'{"iat":' + b"1" * 4500 + b"}",
        "one member twice": b'{"typ":"x","typ":"x"}',
        "one member twice, once escaped": b'{"typ":"x","\\u0074yp":"x"}',
        "one member twice, deep inside": b'{"jwk":{"x":"1","x":"2"}}',
    }


def _other_bits(part: str) -> str:
    """The same octets in another spelling: bits that no octet uses, set."""
    return part[:-1] + ALPHABET[ALPHABET.index(part[-1]) | 1]


def _with_trailing_bits(kind: Kind) -> str:
    """A signature over the other spelling of a payload with unused bits."""
    claims = dumps(kind.claims)
    payload = _other_bits(b64(claims + b" " * (3 - len(claims) % 3 + 1)))
    signing_input = f"{b64(dumps(kind.header()))}.{payload}"
    return f"{signing_input}.{b64(DEVICE.sign(signing_input.encode()))}"


def _ordinary_alphabet(kind: Kind) -> str:
    """A signature over a payload in base64 with + and /."""
    payload = b64(dumps({**kind.claims, "jti": "?>?>?>~~~?>>??~~~"}))
    payload = payload.replace("-", "+").replace("_", "/")
    signing_input = f"{b64(dumps(kind.header()))}.{payload}"
    if "+" not in payload and "/" not in payload:
        raise ValueError(payload)
    return f"{signing_input}.{b64(DEVICE.sign(signing_input.encode()))}"


def _header(kind: Kind) -> None:
    def add(name: str, header: Json, expected: str) -> None:
        kind.add(name, message(header, kind.claims, DEVICE), expected)

    for typ in (*(t for t in TYPES if t != kind.typ), *_wrong_types(kind.typ)):
        add(f"typ is {typ!r}", kind.header(typ=typ), "wrong_type")
    untyped = kind.header()
    del untyped["typ"]
    add("no typ", untyped, "wrong_type")
    without_alg = kind.header()
    del without_alg["alg"]
    add("no alg", without_alg, "bad_header")
    for name, value in {
        "kid": "1",
        "kid, a path": "../../../../dev/null",
        "kid, SQL": "' UNION SELECT 'x",
        "jku": "https://attacker.example/keys",
        "x5u": "https://attacker.example/cert",
        "x5c": ["MIIB"],
        "x5t#S256": "AAAA",
        "crit": ["exp"],
        "crit, empty": [],
        "b64": False,
        "cty": "JWT",
        "zip": "DEF",
        "enc": "A128GCM",
        "iss": "dGVzdC1kZXZpY2UtMDAwMQ",
        "unknown": True,
    }.items():
        add(f"header has {name}", kind.header(**{name.split(",")[0]: value}), "bad_header")
    upper = {"ALG": "ES256", **kind.header()}
    add("header has ALG besides alg", upper, "bad_header")
    if kind.typ == "enrol+jws":
        del upper["jwk"], upper["ALG"]
        add("no jwk", upper, "bad_header")
    else:
        add("CVE-2018-0114: header has jwk", kind.header(jwk=DEVICE.jwk), "bad_header")
        own = message(kind.header(jwk=OTHER.jwk), kind.claims, OTHER)
        kind.add("CVE-2018-0114: header has the jwk of another key that signed", own, "bad_header")


def _wrong_types(typ: str) -> Iterator[object]:
    yield from (typ.upper(), f"{typ} ", f"application/{typ}", "JWT", "jws", "", None, 1, [typ])


def _algorithm(kind: Kind) -> None:
    claims = kind.claims
    wrong = kind.message().rpartition(".")[2]
    for alg in ("none", "None", "NONE", "nOnE", "", None, 0, ["ES256"], "es256", "ES256 "):
        text = message(kind.header(alg=alg), claims, DEVICE)
        kind.add(f"CVE-2015-9235: alg is {alg!r}, signed all the same", text, "bad_algorithm")
    unsigned = raw_token(dumps(kind.header(alg="none")), dumps(claims), b"")
    kind.add("CVE-2015-9235: alg is none, no signature", unsigned, "malformed")
    for alg in ("RS256", "RS512", "PS256", "ES384", "ES512", "ES256K", "HS512", "EdDSA", "Ed25519"):
        text = message(kind.header(alg=alg), claims, DEVICE)
        kind.add(f"alg is {alg}, the key is P-256", text, "bad_algorithm")
    for alg in ("ES256", "Ed25519", "Ed448", "HS256"):
        text = message(kind.header(ED_DEVICE, alg=alg), claims, ED_DEVICE)
        kind.add(f"alg is {alg}, the key is Ed25519", text, "bad_algorithm", key=ED_DEVICE)
    header = kind.header(alg="HS256")
    stored = dumps(dict(sorted(DEVICE.jwk.items())))
    for name, secret in {"JWK": stored, "PEM": pem_of(DEVICE), "x": unb64(DEVICE.jwk["x"])}.items():
        kind.add(
            f"CVE-2016-5431: HS256 with the public key's {name} as secret",
            hs256(header, claims, secret),
            "bad_algorithm",
        )
    twice = dumps(kind.header())[:-1] + b',"alg":"none"}'
    kind.add("alg twice, the second none", joined(twice, dumps(claims), DEVICE), "malformed")
    first = b'{"alg":"none",' + dumps(kind.header())[1:]
    kind.add("alg twice, the first none", joined(first, dumps(claims), DEVICE), "malformed")
    unsigned = raw_token(dumps(kind.header()), dumps(claims), b"\0" * 64)
    kind.add("CVE-2022-21449: r and s are 0", unsigned, "bad_signature")
    kind.add(
        "another message's signature",
        f"{unsigned.rpartition('.')[0]}.{wrong[:-2]}AA",
        "bad_signature",
    )


def _signature(kind: Kind) -> None:
    good = kind.message()
    signing_input, _, text = good.rpartition(".")
    raw = unb64(text)
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])

    def add(name: str, signature: bytes, expected: str = "bad_signature") -> None:
        kind.add(name, with_signature(good, signature), expected)

    for place in (0, 31, 32, 63):
        flipped = bytearray(raw)
        flipped[place] ^= 1
        add(f"octet {place} of the signature flipped", bytes(flipped))
    add("DER in place of r || s", DEVICE.der(signing_input.encode()))
    add("63 octets", raw[:-1])
    add("65 octets, the last zero", raw + b"\0")
    add("65 octets, the first zero", b"\0" + raw)
    add("65 octets, a zero before s", raw[:32] + b"\0" + raw[32:])
    add("twice the signature", raw * 2)
    add("r and s swapped", raw[32:] + raw[:32])
    add("r is 0", b"\0" * 32 + raw[32:])
    add("s is 0", raw[:32] + b"\0" * 32)
    add("r and s are 1", (b"\0" * 31 + b"\1") * 2)
    add("r and s are the order", ORDER_P256.to_bytes(32, "big") * 2)
    add("all ones", b"\xff" * 64)
    if s + ORDER_P256 < 1 << 256:
        add("s + n in place of s", r.to_bytes(32, "big") + (s + ORDER_P256).to_bytes(32, "big"))
    mirrored = (ORDER_P256 - s).to_bytes(32, "big")
    add("n - s in place of s: valid too, nothing relies on one spelling", raw[:32] + mirrored, "ok")
    if kind.typ != "enrol+jws":
        kind.add(
            "signed by another key", message(kind.header(), kind.claims, OTHER), "bad_signature"
        )
    _ed25519_signature(kind)
    header, _, payload = signing_input.partition(".")
    for name in kind.claims:
        value = kind.claims[name]
        changed = {**kind.claims, name: value + 1 if isinstance(value, int) else f"{value}A"}
        kind.add(
            f"{name} changed after signing",
            f"{header}.{b64(dumps(changed))}.{text}",
            "bad_signature",
        )
    other_header = b64(json.dumps(kind.header(), indent=1).encode())
    kind.add(
        "header spelled anew after signing", f"{other_header}.{payload}.{text}", "bad_signature"
    )
    foreign = Kind(next(t for t in TYPES if t != kind.typ), kind.claims)
    kind.add(
        "signature of another kind of message over these claims",
        f"{signing_input}.{foreign.message().rpartition('.')[2]}",
        "bad_signature",
    )


def _ed25519_signature(kind: Kind) -> None:
    good = kind.message(ED_DEVICE)
    raw = unb64(good.rpartition(".")[2])
    large = int.from_bytes(raw[32:], "little") + ORDER_ED25519

    def add(name: str, signature: bytes) -> None:
        kind.add(name, with_signature(good, signature), "bad_signature", key=ED_DEVICE)

    add("Ed25519: S + L in place of S", raw[:32] + large.to_bytes(32, "little"))
    add("Ed25519: nothing but zeros", b"\0" * 64)
    add("Ed25519: R is the neutral point, S is 0", b"\1" + b"\0" * 63)
    add("Ed25519: 63 octets", raw[:-1])
    add("Ed25519: a bit flipped", bytes([raw[0] ^ 1]) + raw[1:])
    if kind.typ != "enrol+jws":
        text = message(kind.header(ED_DEVICE), kind.claims, EdDsa("another device"))
        kind.add("Ed25519: signed by another key", text, "bad_signature", key=ED_DEVICE)


def _time(kind: Kind) -> None:
    text = kind.message()
    kind.add("59 seconds old", text, "ok", now=NOW + 59)
    kind.add("60 seconds old", text, "out_of_date", now=NOW + 60)
    kind.add("a day old", text, "out_of_date", now=NOW + 86_400)
    kind.add("a clock 30 seconds fast", text, "ok", now=NOW - 30)
    kind.add("a clock 31 seconds fast", text, "out_of_date", now=NOW - 31)
    later = {"exp": 253_402_300_799} if kind.typ == "answer+jws" else {}
    kind.add("from the year 9999", kind.message(iat=253_402_300_799, **later), "out_of_date")
    kind.add("from 1970", kind.message(iat=0), "out_of_date")
    kind.add("in milliseconds", kind.message(iat=NOW * 1000), "bad_claims")


def _claims(kind: Kind) -> None:
    for name, value in kind.claims.items():
        rest = {key: each for key, each in kind.claims.items() if key != name}
        kind.add(f"no {name}", message(kind.header(), rest, DEVICE), "bad_claims")
        for wrong in (None, [value], {"a": value}, True):
            kind.add(
                f"{name} is {type(wrong).__name__}", kind.message(**{name: wrong}), "bad_claims"
            )
        other_type = str(value) if isinstance(value, int) else 1
        kind.add(f"{name} is {other_type!r}", kind.message(**{name: other_type}), "bad_claims")
        twice = dumps(kind.claims)[:-1] + b"," + dumps({name: value})[1:]
        text = joined(dumps(kind.header()), twice, DEVICE)
        kind.add(f"{name} twice", text, "malformed")
    for extra in ("nbf", "sub", "kid", "unknown", "AUD", ""):
        kind.add(f"a further claim, {extra!r}", kind.message(**{extra: "x"}), "bad_claims")
    for seconds in (b"1790000000.0", b"1.79e9"):
        payload = dumps(kind.claims).replace(b'"iat":1790000000', b'"iat":' + seconds)
        kind.add(
            f"iat is {seconds.decode()}", joined(dumps(kind.header()), payload, DEVICE), "malformed"
        )
    kind.add("iat is negative", kind.message(iat=-1), "bad_claims")
    kind.add("iat is beyond every date", kind.message(iat=10**30), "bad_claims")
    kind.add("aud is empty", kind.message(aud=""), "bad_claims")
    for aud in (
        AUDIENCE + "/",
        AUDIENCE.upper(),
        AUDIENCE[:-1],
        AUDIENCE + "\0",
        " " + AUDIENCE,
        "https://attacker.example/metadata",
    ):
        kind.add(f"aud is {aud!r}", kind.message(aud=aud), "wrong_audience")
    for name, jti in {
        "short": "a" * 15,
        "long": "a" * 65,
        "not base64url": "a" * 21 + "!",
        "with a line end": "a" * 22 + "\n",
    }.items():
        kind.add(f"jti is {name}", kind.message(jti=jti), "bad_claims")
