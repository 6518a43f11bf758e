"""What can go wrong on a device. Every error of the SDK is a ``DeviceError``."""


class DeviceError(Exception):
    """Root of the SDK's errors. The sentence is for people and may change."""


class LinkInvalid(DeviceError):
    """The text is not a link or code of the device protocol."""


class KeyUnreadable(DeviceError):
    """The file holds no key of the protocol, or others may read it."""


class StateUnreadable(DeviceError):
    """The folder of enrolled IDs cannot be read or written."""


class ServerUnreachable(DeviceError):
    """No answer, or one that is not of the protocol. Trying again later may help."""


class CallFailed(DeviceError):
    """The IdP refused a call (RFC 9457).

    ``code``: stable, of docs/device-protocol.md. ``status``: of HTTP.
    ``retry_after``: seconds to wait; 0 when the IdP named none.
    """

    def __init__(self, code: str, *, status: int, detail: str, retry_after: int) -> None:
        super().__init__(detail or code)
        self.code = code
        self.status = status
        self.retry_after = retry_after
