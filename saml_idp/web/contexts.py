"""Route factories: which login or device this request may touch, decided once, before any view."""

from typing import Any

from saml_idp.domain.attempt import LoginAttempt
from saml_idp.domain.device import Device
from saml_idp.domain.errors import DeviceMessageRejected, NotFound
from saml_idp.domain.ids import AttemptId


class LoginContext:
    """The login in the URL, if it belongs to this browser (L03).

    A login that a cross-site POST opened belongs to the one-time secret which that answer
    set, until the browser comes back with its own cookies.
    """

    def __init__(self, request: Any) -> None:
        self.attempt: LoginAttempt = _find(request)


class DeviceContext:
    """The live device that signed this very call (D13)."""

    def __init__(self, request: Any) -> None:
        scheme, _, message = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Device" or not message:
            raise DeviceMessageRejected("no device signed this call", reason="unauthenticated")
        base = request.idp.settings.base_url
        self.device: Device = request.idp.recognise_device(
            message, method=request.method, url=f"{base}{request.path_info}"
        )


def _find(request: Any) -> LoginAttempt:
    attempt_id = AttemptId(request.matchdict["attempt"])
    try:
        return request.idp.find_login(attempt_id, browser=request.browser.digest)  # type: ignore[no-any-return]
    except NotFound:
        opened = request.opened_secret
        if opened is None:
            raise
        return request.idp.find_login(attempt_id, browser=opened)  # type: ignore[no-any-return]
