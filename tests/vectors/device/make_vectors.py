"""Writes the vectors: ``python -m tests.vectors.device.make_vectors``. A test compares."""

import json
from pathlib import Path
from typing import Any, Final

from tests.vectors.device.common_cases import ANSWER, CALL, ENROLMENT, NOW, URL, Kind, add_common
from tests.vectors.device.signing import (
    DEVICE,
    ED_DEVICE,
    OTHER,
    Json,
    b64,
    dumps,
    es384,
    joined,
    message,
    raw_token,
    secp256k1,
    unb64,
)

HERE: Final = Path(__file__).parent
_FIELD: Final = 2**255 - 19
_P256_PRIME: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
_ORDER_8: Final = 55188659117513257062467267217118295137698188065244968500265048394206261417927


def enrolments() -> list[Json]:
    """The vectors of ``enrol+jws``."""
    kind = Kind("enrol+jws", ENROLMENT)
    add_common(kind)
    for name, jwk in _bad_p256_keys().items():
        kind.add(f"jwk: {name}", _with_jwk(kind, jwk), "bad_key")
    for name, point in _bad_ed25519_points().items():
        jwk = {**ED_DEVICE.jwk, "x": b64(point)}
        text = message(kind.header(ED_DEVICE, jwk=jwk), ENROLMENT, ED_DEVICE)
        kind.add(f"jwk: Ed25519, {name}", text, "bad_key")
    neutral = kind.header(ED_DEVICE, jwk={**ED_DEVICE.jwk, "x": b64(b"\1" + b"\0" * 31)})
    forged = raw_token(dumps(neutral), dumps(ENROLMENT), b"\1" + b"\0" * 63)
    kind.add(
        "jwk: Ed25519, the neutral point, whose signature fits every message", forged, "bad_key"
    )
    kind.add(
        "jwk: another key than the one that signed",
        message(kind.header(jwk=OTHER.jwk), ENROLMENT, DEVICE),
        "bad_signature",
    )
    kind.add("jwk: P-384, signed as ES384", es384(kind.header(), ENROLMENT)[1], "bad_key")
    kind.add("jwk: secp256k1, signed by it", secp256k1(kind.header(), ENROLMENT), "bad_key")
    twice = dumps(kind.header()).replace(b'"kty":"EC"', b'"kty":"EC","kty":"EC"')
    kind.add("jwk: kty twice", joined(twice, dumps(ENROLMENT), DEVICE), "malformed")
    for name, code in {
        "empty": "",
        "short": "a" * 15,
        "long": "a" * 129,
        "padded": "a" * 22 + "==",
        "with a space": "a" * 22 + " ",
        "a link": URL,
    }.items():
        kind.add(f"code is {name}", kind.message(code=code), "bad_claims")
    for name in ("N", "N" * 64, "😀" * 64, "Büro – Рабочий 電話", "<script>alert(1)</script>"):
        kind.add(f"device_name is {name[:24]!r}", kind.message(device_name=name), "ok")
    for label, name in {
        "empty": "",
        "blank": " ",
        "framed by spaces": " phone ",
        "65 characters": "N" * 65,
        "two lines": "a\nb",
        "NUL": "a\0b",
        "an escape": "a\x1b[31m",
        "DEL": "a\x7f",
        "a C1 control": "a\x85b",
        "a line separator": "a\u2028b",
        "right to left": "a\u202eb",
        "an isolate": "a\u2066b",
    }.items():
        kind.add(f"device_name has {label}", kind.message(device_name=name), "bad_claims")
    return kind.cases


def _with_jwk(kind: Kind, jwk: Any) -> str:
    return message(kind.header(jwk=jwk), ENROLMENT, DEVICE)


def _bad_p256_keys() -> dict[str, Any]:
    good = DEVICE.jwk
    x, y = unb64(good["x"]), unb64(good["y"])
    other_spelling = good["x"][:-1] + chr(ord(good["x"][-1]) + 1)
    return {
        "null": None,
        "a text": "key",
        "an array": [good],
        "empty": {},
        "private: its d is inside": DEVICE.private_jwk,
        "a further member, kid": {**good, "kid": "1"},
        "a further member, alg": {**good, "alg": "ES256"},
        "a further member, use": {**good, "use": "sig"},
        "further members of WebCrypto": {**good, "ext": True, "key_ops": ["verify"]},
        "no kty": {name: good[name] for name in ("crv", "x", "y")},
        "no crv": {name: good[name] for name in ("kty", "x", "y")},
        "no x": {name: good[name] for name in ("kty", "crv", "y")},
        "no y": {name: good[name] for name in ("kty", "crv", "x")},
        "kty is ec": {**good, "kty": "ec"},
        "kty is a number": {**good, "kty": 1},
        "kty is an array": {**good, "kty": ["EC"]},
        "kty is OKP": {**good, "kty": "OKP"},
        "kty is OKP with the members of one": {"kty": "OKP", "crv": "P-256", "x": good["x"]},
        "crv is p-256": {**good, "crv": "p-256"},
        "crv is P-384": {**good, "crv": "P-384"},
        "crv is secp256k1": {**good, "crv": "secp256k1"},
        "crv is null": {**good, "crv": None},
        "symmetric": {"kty": "oct", "k": good["x"]},
        "RSA": {"kty": "RSA", "n": good["x"], "e": "AQAB"},
        "X25519": {"kty": "OKP", "crv": "X25519", "x": good["x"]},
        "Ed448": {"kty": "OKP", "crv": "Ed448", "x": b64(b"\1" * 57)},
        "x is a number": {**good, "x": 1},
        "x is empty": {**good, "x": ""},
        "x has 31 octets": {**good, "x": b64(x[1:])},
        "x has 33 octets": {**good, "x": b64(b"\0" + x)},
        "x is padded": {**good, "x": good["x"] + "="},
        "x has other trailing bits": {**good, "x": other_spelling},
        "x is not ASCII": {**good, "x": "é" * 43},
        "not on the curve": {**good, "y": b64(y[:-1] + bytes([y[-1] ^ 1]))},
        "x and y swapped": {**good, "x": good["y"], "y": good["x"]},
        "x and y are 0": {**good, "x": b64(b"\0" * 32), "y": b64(b"\0" * 32)},
        "x is the field's prime": {**good, "x": b64(_P256_PRIME.to_bytes(32, "big"))},
        "all ones": {**good, "x": b64(b"\xff" * 32), "y": b64(b"\xff" * 32)},
    }


def _bad_ed25519_points() -> dict[str, bytes]:
    small = {
        "0": 0,
        "1": 1,
        "p - 1": _FIELD - 1,
        "order 8": _ORDER_8,
        "the other of order 8": _FIELD - _ORDER_8,
    }
    points = {f"y is {name}": y.to_bytes(32, "little") for name, y in small.items()}
    points |= {
        f"y is {name}, x is odd": (y | 1 << 255).to_bytes(32, "little") for name, y in small.items()
    }
    points["y is p, not reduced"] = _FIELD.to_bytes(32, "little")
    points["y is p + 3, not reduced"] = (_FIELD + 3).to_bytes(32, "little")
    points["all ones"] = b"\xff" * 32
    points["31 octets"] = b"\2" * 31
    return points


def calls() -> list[Json]:
    """The vectors of ``device+jws``."""
    kind = Kind("device+jws", CALL)
    add_common(kind)
    for method in ("POST", "get", "Get", "GET ", "HEAD", "DELETE"):
        kind.add(f"htm is {method!r}", kind.message(htm=method), "wrong_target")
    for url in (
        URL + "/",
        URL + "?",
        URL + "?a=b",
        URL + "#a",
        URL.replace("https", "http"),
        URL.replace("idp.", "IDP."),
        URL.replace(".org", ".org:443"),
        URL.replace(".org", ".org."),
        URL.replace("idp.", "user@idp."),
        URL.replace("v1/approvals", "v1/./approvals"),
        URL.replace("approvals", "%61pprovals"),
        URL.replace("idp.example.org", "attacker.example"),
        URL.replace("approvals", "devices/self"),
        "/device/v1/approvals",
    ):
        kind.add(f"htu is {url!r}", kind.message(htu=url), "wrong_target")
    kind.add("htm is empty", kind.message(htm=""), "bad_claims")
    kind.add(
        "htu has 2 049 characters", kind.message(htu=URL + "a" * (2049 - len(URL))), "bad_claims"
    )
    _issuers(kind)
    return kind.cases


def answers() -> list[Json]:
    """The vectors of ``answer+jws``. ``means``: what the verdict amounts to, with right symbols."""
    kind = Kind("answer+jws", ANSWER)
    add_common(kind)
    _issuers(kind)
    for verdict in (
        "deny",
        "not-me",
        "Approve",
        "APPROVE",
        "approve ",
        " approve",
        "approved",
        "approve\0",
        "approve\n",
        "yes",
        "ok",
        "true",
        "1",
        "granted",
        "",
        "\u0430\u0440prove",
        "\u0430pprove",
        "not me",
        "appr\u200bove",
        "✓",
    ):
        kind.add(f"verdict is {verdict!r}", kind.message(verdict=verdict), "ok", means="no")
    kind.add("verdict is approve", kind.message(), "ok", means="yes")
    kind.add("verdict has 33 characters", kind.message(verdict="a" * 33), "bad_claims")
    for row in ("", "A", "K3QAZ7"):
        kind.add(f"symbols are {row!r}", kind.message(symbols=row), "ok")
    for row in (
        "k3qa",
        "K3Q1",
        "K3Q0",
        "K3Q8",
        "K3Q9",
        "K3QAZ7A",
        "K 3QA",
        "K3QA\n",
        "\uff2b3QA",
        "K٣QA",
        "K3QA=",
        "K-3QA",
    ):
        kind.add(f"symbols are {row!r}", kind.message(symbols=row), "bad_claims")
    trial = kind.message(attempt="", symbols="")
    kind.add("a trial approval, which belongs to no login", trial, "ok")
    for name in ("approval", "nonce", "id", "provider", "provider_name"):
        kind.add(f"{name} is empty", kind.message(**{name: ""}), "bad_claims")
    for name in ("approval", "attempt", "nonce"):
        kind.add(f"{name} has a slash", kind.message(**{name: "a" * 20 + "/"}), "bad_claims")
        kind.add(f"{name} has 65 characters", kind.message(**{name: "a" * 65}), "bad_claims")
    kind.add("nonce has 15 characters", kind.message(nonce="a" * 15), "bad_claims")
    kind.add("id has 257 characters", kind.message(id="a" * 257), "bad_claims")
    kind.add("provider has 1 025 characters", kind.message(provider="a" * 1025), "bad_claims")
    kind.add("provider_name is not Latin", kind.message(provider_name="電子申請 😀"), "ok")
    kind.add("exp is iat", kind.message(exp=NOW), "out_of_date")
    kind.add("exp is before iat", kind.message(exp=NOW - 1), "out_of_date")
    early = NOW - 10
    kind.add("exp is iat, a fast clock", kind.message(exp=NOW), "out_of_date", now=early)
    kind.add("exp is before iat, a fast clock", kind.message(exp=NOW - 1), "out_of_date", now=early)
    kind.add("exp is 61 seconds after iat", kind.message(exp=NOW + 61), "out_of_date")
    kind.add("exp is a year after iat", kind.message(exp=NOW + 31_536_000), "out_of_date")
    kind.add("exp is 10 seconds after iat", kind.message(exp=NOW + 10), "ok", now=NOW + 9)
    kind.add("exp is now", kind.message(exp=NOW + 10), "out_of_date", now=NOW + 10)
    kind.add("exp is beyond every date", kind.message(exp=10**30), "bad_claims")
    return kind.cases


def _issuers(kind: Kind) -> None:
    for name, iss in {
        "empty": "",
        "long": "a" * 65,
        "a path": "../x",
        "SQL": "' OR 1=1 --",
        "with NUL": "a\0",
    }.items():
        kind.add(f"iss is {name}", kind.message(iss=iss), "bad_claims")


def files() -> dict[str, str]:
    """Return the text of every file by its name."""
    kinds = {"enrol": enrolments(), "device": calls(), "answer": answers()}
    texts = {}
    for name, cases in kinds.items():
        value = {"typ": f"{name}+jws", "cases": cases}
        texts[f"{name}.json"] = json.dumps(value, indent=1, ensure_ascii=True) + "\n"
    keys = {
        "P-256": DEVICE.private_jwk,
        "P-256, another": OTHER.private_jwk,
        "Ed25519": ED_DEVICE.private_jwk,
    }
    texts["keys.json"] = json.dumps(keys, indent=1) + "\n"
    return texts


if __name__ == "__main__":
    for file, content in files().items():
        (HERE / file).write_text(content, encoding="utf-8")
