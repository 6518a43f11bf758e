"""The texts in English and German: none is missing, none is spare, all take the same values."""

import re
from collections.abc import Iterator
from importlib.resources import files
from string import Formatter

import pytest

from saml_idp.web.texts.table import LANGUAGES, TEXTS, merged, translator

WEB = files("saml_idp.web")
KEY = re.compile(r"[a-z_]+(?:\.[a-z_]+)+")


def _sources() -> Iterator[str]:
    """Yield the text of every template and script."""
    rooms = [WEB / "templates", WEB / "static"]
    while rooms:
        for entry in rooms.pop().iterdir():
            if entry.is_dir():
                rooms.append(entry)
            elif entry.name.endswith((".jinja2", ".js")):
                yield entry.read_text(encoding="utf-8")


KNOWN_STARTS = ("approval.", "ended.", "error.", "device.result.", "symbol.")  # then a word of code


def _named(source: str) -> set[str]:
    """Return everything in *source* that looks like the key of a text."""
    return TEXTS.keys() & re.findall(r"[\"'`]([a-z_]+(?:\.[a-z_]+)+)[\"'`]", source)


def _values(text: str) -> set[str]:
    """Return the names of the values that *text* takes."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", TEXTS)
def test_every_text_exists_in_every_language(key: str) -> None:
    assert set(TEXTS[key]) == set(LANGUAGES)
    assert all(text.strip() == text != "" for text in TEXTS[key].values())


@pytest.mark.parametrize("key", TEXTS)
def test_every_language_takes_the_same_values(key: str) -> None:
    assert len({frozenset(_values(text)) for text in TEXTS[key].values()}) == 1


def test_every_text_that_a_template_names_exists() -> None:
    called = {key for source in _sources() for key in re.findall(r"\bt\(\s*[\"']([^\"']+)", source)}
    assert called
    assert {key for key in called if KEY.fullmatch(key)} <= TEXTS.keys()


def test_no_text_is_left_that_nothing_shows() -> None:
    named = set().union(*map(_named, _sources()))
    assert [k for k in TEXTS if k not in named and not k.startswith(KNOWN_STARTS)] == []


def test_the_phone_web_app_is_given_every_text_that_its_scripts_name() -> None:
    shell = (WEB / "templates" / "device" / "app.jinja2").read_text(encoding="utf-8")
    given = set(re.findall(r'"(device\.[a-z_.]+)"', shell.partition("%}\n{% set texts")[0]))
    scripts = [
        script.read_text(encoding="utf-8")
        for script in (WEB / "static" / "device").iterdir()
        if script.name.endswith(".js")
    ]
    assert set().union(*map(_named, scripts)) <= given
    assert {key for key in TEXTS if key.startswith("device.result.")} <= given


def test_texts_are_plain_so_that_templates_can_escape_them() -> None:
    assert not [key for key, texts in TEXTS.items() if any("<" in text for text in texts.values())]


def test_values_are_put_in() -> None:
    assert translator("de")("login.to", service="Jira") == "bei Jira"


def test_a_value_with_braces_is_not_read_as_a_mark() -> None:
    hostile = "{0.__class__}{service}"
    assert translator("en")("login.to", service=hostile) == f"to {hostile}"


def test_without_values_the_marks_stay() -> None:
    assert translator("en")("login.to") == "to {service}"


def test_an_unknown_language_reads_english() -> None:
    assert translator("fr")("login.title") == "Sign in"


def test_the_organisations_own_text_goes_before_ours() -> None:
    t = translator("en", {"login.title": {"en": "Welcome"}})
    assert t("login.title") == "Welcome"
    assert t("login.password") == "Password"


def test_an_own_text_in_one_language_leaves_the_other_alone() -> None:
    assert translator("de", {"login.title": {"en": "Welcome"}})("login.title") == "Anmelden"


def test_an_unknown_key_is_an_error_and_not_an_empty_text() -> None:
    with pytest.raises(KeyError):
        translator("en")("no.such.key")


def test_a_text_defined_in_two_tables_is_an_error() -> None:
    with pytest.raises(ValueError, match="twice"):
        merged({"a": {"en": "1", "de": "1"}}, {"a": {"en": "2", "de": "2"}})
