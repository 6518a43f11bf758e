"""What the IdP answers: JSON on success, a problem (RFC 9457) else."""

import json
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from saml_idp.device_sdk.errors import CallFailed, ServerUnreachable
from saml_idp.device_sdk.transport import HttpAnswer


class ClockWrong(CallFailed):
    """``out_of_date``, with the IdP's own time in seconds since 1970."""

    server_time: float = 0.0


def accepted(answer: HttpAnswer) -> Mapping[str, object]:
    """Return the JSON of a call that succeeded; raise what it failed with."""
    if answer.status == 204:
        return {}
    try:
        value: object = json.loads(answer.body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, Mapping):
        raise ServerUnreachable(f"an answer that is not of the protocol (HTTP {answer.status})")
    if 200 <= answer.status < 300:
        return value
    raise _failure(answer, value)


def _failure(answer: HttpAnswer, problem: Mapping[str, object]) -> CallFailed:
    code, wait = str(problem.get("code", "other")), answer.headers.get("retry-after", "")
    try:
        server_time = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except ValueError:
        server_time = 0.0
    kind = ClockWrong if code == "out_of_date" and server_time else CallFailed
    failure = kind(
        code,
        status=answer.status,
        detail=str(problem.get("detail") or problem.get("title") or ""),
        retry_after=int(wait) if wait.isdecimal() and len(wait) < 7 else 0,
    )
    if isinstance(failure, ClockWrong):
        failure.server_time = server_time
    return failure


def text_of(answer: Mapping[str, object], name: str) -> str:
    """Return the text *name* of *answer*; ServerUnreachable when there is none."""
    value = answer.get(name)
    if not isinstance(value, str):
        raise ServerUnreachable(f"the answer has no {name!r}")
    return value
