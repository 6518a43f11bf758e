"""The log: JSON lines, and nothing secret in them."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from saml_idp.logs import REDACTED, configure_logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    written = io.StringIO()
    configure_logs("info", stream=written)
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_json_object_with_time_level_and_origin(stream: io.StringIO) -> None:
    structlog.get_logger("saml_idp.web").info("refused", code="not_found")

    (line,) = lines(stream)
    assert line["event"] == "refused"
    assert (line["level"], line["logger"], line["code"]) == ("info", "saml_idp.web", "not_found")
    assert line["at"].endswith("Z")


def test_libraries_write_the_same_way(stream: io.StringIO) -> None:
    logging.getLogger("granian").warning("worker %d stopped", 3)

    (line,) = lines(stream)
    assert (line["event"], line["logger"]) == ("worker 3 stopped", "granian")


def test_the_reference_of_a_request_is_in_every_line_of_it(stream: io.StringIO) -> None:
    structlog.contextvars.bind_contextvars(reference="r-1")
    structlog.get_logger().info("one")
    logging.getLogger("x").warning("two")

    assert [line["reference"] for line in lines(stream)] == ["r-1", "r-1"]


def test_a_line_end_in_a_value_makes_no_line(stream: io.StringIO) -> None:
    """U03: nobody writes a record of their own by a name with a line end."""
    structlog.get_logger().info("x", name='a\r\n{"event": "forged"}\u2028b\x00\x1b[2J')

    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text.isascii()
    assert "\x1b" not in text


def test_below_the_level_nothing_is_written(stream: io.StringIO) -> None:
    structlog.get_logger().debug("quiet")
    logging.getLogger("x").debug("quiet")

    assert stream.getvalue() == ""


def test_an_exception_is_told_with_its_place(stream: io.StringIO) -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger().exception("fault")

    (line,) = lines(stream)
    assert "ValueError: broken" in line["exception"]


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "new_password",
        "Password",
        "symbols",
        "session_secret",
        "csrf_token",
        "cookie",
        "Set-Cookie",
        "Authorization",
        "SAMLResponse",
        "answer",
        "nonce",
    ],
)
def test_a_secret_is_known_by_its_name(stream: io.StringIO, key: str) -> None:
    structlog.get_logger().info("x", **{key: "canary"}, nested={"deep": [{key: "canary"}]})

    assert "canary" not in stream.getvalue()
    assert lines(stream)[0][key] == REDACTED


@pytest.mark.parametrize(
    "text",
    [
        "GET /device/#enrol=canary",
        "https://idp/device/#approval=x&symbols=canary",
        "/saml/sso?SAMLRequest=canary&RelayState=x",
        "POST body SAMLResponse=canary",
        "cannot connect to postgresql://idp:canary@db/idp",
        "Authorization: Device canarycanarycanary.canary",
        "message eyJhbGciOiJFUzI1NiJ9.canary.canary",
        "form password=canary",
    ],
)
def test_a_secret_is_known_by_what_stands_around_it(stream: io.StringIO, text: str) -> None:
    structlog.get_logger().info(text, problem=text)
    logging.getLogger("library").error("failed: %s", text)
    try:
        raise ValueError(text)
    except ValueError:
        structlog.get_logger().exception("fault")

    assert "canary" not in stream.getvalue()
    assert len(lines(stream)) == 3


def test_what_is_no_secret_stays_readable(stream: io.StringIO) -> None:
    structlog.get_logger().info("refused", code="bad_password", key="login.two_step", file="a.toml")

    (line,) = lines(stream)
    assert (line["code"], line["key"], line["file"]) == ("bad_password", "login.two_step", "a.toml")


def test_libraries_that_write_messages_at_debug_are_kept_quiet() -> None:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    written = io.StringIO()
    try:
        configure_logs("debug", stream=written)
        for name in ("saml2.response", "sqlalchemy.engine", "xmlsec"):
            logging.getLogger(name).debug("canary")
        structlog.get_logger().debug("ours")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()

    assert "canary" not in written.getvalue()
    assert "ours" in written.getvalue()
