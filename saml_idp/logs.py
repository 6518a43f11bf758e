"""The log of a server: one JSON object a line on standard error, without secrets.

Our own events (structlog) and those of libraries (logging) go the same way. What binds lines
to a request is the context variable ``reference``, which an error page shows as well.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import structlog
from structlog.types import EventDict, Processor

REDACTED: Final = "[redacted]"
# Names whose values never reach a log, as a whole word of the key (rule 7, SECURITY-BAR U04).
_SECRET_WORDS: Final = frozenset(
    {
        "answer",
        "authorization",
        "cookie",
        "cookies",
        "csrf",
        "nonce",
        "passphrase",
        "password",
        "samlrequest",
        "samlresponse",
        "seal",
        "secret",
        "symbols",
        "token",
    }
)
_IN_TEXT: Final = (
    re.compile(r"(?i)(enrol=|symbols=|SAMLRequest=|SAMLResponse=|password=)[^&\s\"'#]+"),
    re.compile(r"(?i)\b(Device|Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{16,}"),
    re.compile(r"\b(eyJ)[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"),  # a compact JWS
    re.compile(r"(://[^/\s:@]+:)[^@\s/]+(?=@)"),  # a password in the address of a database
)
_NESTED: Final = 6


def configure_logs(level: str = "info", *, stream: TextIO | None = None) -> None:
    """Send every log line of this process, as JSON, to *stream* (standard error).

    Args:
        level: "debug", "info", "warning" or "error".
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=True),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in _NOISY:
        # at DEBUG these write whole messages or statements with their values
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))


_NOISY: Final = ("alembic", "saml2", "sqlalchemy", "watchfiles", "xmlsec")


def redact(logger: object, method: str, event: EventDict) -> EventDict:  # noqa: ARG001 - structlog's
    """Return *event* without secrets: by the name of the key, and by what text looks like."""
    return {key: _clean(key, value, _NESTED) for key, value in event.items()}


def _clean(key: str, value: Any, depth: int) -> Any:
    if _is_secret(key) and key != "event":
        return REDACTED
    if isinstance(value, str):
        return _clean_text(value)
    if depth and isinstance(value, MutableMapping):
        return {k: _clean(str(k), v, depth - 1) for k, v in value.items()}
    if depth and isinstance(value, list | tuple):
        return [_clean("", item, depth - 1) for item in value]
    return value


def _clean_text(text: str) -> str:
    for pattern in _IN_TEXT:
        text = pattern.sub(rf"\1{REDACTED}", text)
    return text


def _is_secret(key: str) -> bool:
    return not _SECRET_WORDS.isdisjoint(re.split(r"[^a-z]+", key.lower()))
