"""Reads every vector with the product's own verification."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from saml_idp.crypto.device_signatures import (
    claimed_device,
    verified_answer,
    verified_call,
    verified_enrolment,
    verify_stored_answer,
)
from saml_idp.domain.errors import DeviceMessageRejected
from tests.vectors.device.make_vectors import files

HERE: Final = Path(__file__).parent
Case = dict[str, Any]


def _cases(name: str) -> list[Any]:
    value = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    return [pytest.param(case, id=ascii(case["name"])[1:-1]) for case in value["cases"]]


def _now(case: Case) -> datetime:
    return datetime.fromtimestamp(case["now"], tz=UTC)


def _rejected_as(case: Case, rejected: pytest.ExceptionInfo[DeviceMessageRejected]) -> None:
    assert rejected.value.reason == case["expected"]


@pytest.mark.parametrize("case", _cases("enrol"))
def test_enrolment(case: Case) -> None:
    def read() -> Any:
        return verified_enrolment(
            case["message"], expected_audience=case["expected_audience"], now=_now(case)
        )

    if case["expected"] != "ok":
        with pytest.raises(DeviceMessageRejected) as rejected:
            read()
        _rejected_as(case, rejected)
        return
    found = read()
    assert (found.code, found.device_name, found.jti) == tuple(
        case["claims"][name] for name in ("code", "device_name", "jti")
    )
    assert found.issued_at.timestamp() == case["claims"]["iat"]


@pytest.mark.parametrize("case", _cases("device"))
def test_call(case: Case) -> None:
    def read() -> Any:
        return verified_call(
            case["message"],
            public_key=case["public_key"],
            expected_audience=case["expected_audience"],
            expected_method=case["expected_method"],
            expected_url=case["expected_url"],
            now=_now(case),
        )

    if case["expected"] != "ok":
        with pytest.raises(DeviceMessageRejected) as rejected:
            read()
        _rejected_as(case, rejected)
        return
    found = read()
    assert (found.device_id, found.jti) == (case["claims"]["iss"], case["claims"]["jti"])
    assert found.expires_at.timestamp() == case["claims"]["iat"] + 60
    assert claimed_device(case["message"], typ="device+jws") == found.device_id


@pytest.mark.parametrize("case", _cases("answer"))
def test_answer(case: Case) -> None:
    def read() -> Any:
        return verified_answer(
            case["message"],
            public_key=case["public_key"],
            expected_audience=case["expected_audience"],
            now=_now(case),
        )

    if case["expected"] != "ok":
        with pytest.raises(DeviceMessageRejected) as rejected:
            read()
        _rejected_as(case, rejected)
        return
    found = read()
    claims = case["claims"]
    assert {
        "iss": found.device_id,
        "approval": found.approval_id,
        "attempt": found.attempt_id,
        "id": found.identity,
        "provider": found.provider,
        "provider_name": found.provider_name,
        "nonce": found.nonce,
        "verdict": found.verdict,
        "symbols": found.symbols,
        "exp": int(found.expires_at.timestamp()),
    } == {name: claims[name] for name in claims if name not in {"aud", "iat", "jti"}}
    assert found.message == case["message"]
    assert not found.user_verified
    assert verify_stored_answer(case["message"], case["public_key"]) == claims


@pytest.mark.parametrize("case", _cases("answer"))
def test_stored_answer_needs_the_signature_but_no_time(case: Case) -> None:
    if case["expected"] in {"ok", "out_of_date", "wrong_audience"}:
        assert verify_stored_answer(case["message"], case["public_key"])
        return
    with pytest.raises(DeviceMessageRejected) as rejected:
        verify_stored_answer(case["message"], case["public_key"])
    _rejected_as(case, rejected)


def test_the_committed_files_are_what_the_script_writes() -> None:
    for name, text in files().items():
        assert (HERE / name).read_text(encoding="utf-8") == text, name
    assert {file.name for file in HERE.glob("*.json")} == set(files())


@pytest.mark.parametrize("name", ["enrol", "device", "answer"])
def test_every_case_has_its_own_name(name: str) -> None:
    value = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    names = [case["name"] for case in value["cases"]]
    assert sorted(set(names)) == sorted(names)
