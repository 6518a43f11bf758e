"""A policy file: strict, each mistake with its place; absent is not empty."""

from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saml_idp.adapters.policy_text import complete, find_entity_id, read_policy
from saml_idp.domain.errors import ConfigurationError, Fault
from saml_idp.domain.policy import STRICTEST, Encryption, Policy, Signing
from saml_idp.domain.policy_keys import FIELDS, plain_values
from saml_idp.toml.places import read_toml

VECTORS: Final = sorted((Path(__file__).parents[2] / "vectors" / "policies").glob("*.toml"))
EXPECTED: Final = "# expected: "


def policy_of(text: str, *, base: Policy = STRICTEST) -> Policy:
    return complete(read_policy(text.encode(), file="sp.toml", is_default=False), base)


def faults_of(octets: bytes) -> tuple[Fault, ...]:
    try:
        read_policy(octets, file="sp.toml", is_default=False)
    except ConfigurationError as refused:
        return refused.faults
    return ()


def told(octets: bytes, *, is_default: bool = False) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_policy(octets, file="sp.toml", is_default=is_default)
    return str(caught.value)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda path: path.stem)
def test_a_file_has_the_faults_that_it_announces_and_no_others(vector: Path) -> None:
    octets = vector.read_bytes()
    lines = octets.decode().splitlines()
    wanted = [line.removeprefix(EXPECTED) for line in lines if line.startswith(EXPECTED)]
    faults = faults_of(octets)
    assert len(faults) == len(wanted) - wanted.count("ok"), faults
    for fault, line in zip(faults, wanted, strict=False):
        place, problem, mend = (part.strip() for part in line.split("|"))
        assert f"{fault.line}:{fault.column} {fault.key}".strip() == place
        assert problem in fault.problem
        assert mend in fault.mend


def test_every_vector_announces_what_it_expects() -> None:
    assert len(VECTORS) > 30
    assert all(vector.read_text().startswith(EXPECTED) for vector in VECTORS)


def test_every_key_stands_in_the_example_of_all_keys() -> None:
    text = next(path for path in VECTORS if path.stem == "accepted-every-key").read_text()
    values = plain_values(policy_of(text))
    assert all(values[key] != plain_values(STRICTEST)[key] for key in FIELDS), values


def test_an_absent_key_takes_the_default() -> None:
    base = Policy(groups=("staff",), attributes={"mail": "email"})
    policy = policy_of('entity_id = "a"', base=base)
    assert policy.groups == ("staff",)
    assert policy.attributes == {"mail": "email"}


def test_an_empty_key_means_none() -> None:
    base = Policy(groups=("staff",), attributes={"mail": "email"})
    policy = policy_of('entity_id = "a"\nattributes = {}\nlogin.groups = []', base=base)
    assert policy.groups == ()
    assert policy.attributes == {}


def test_the_attributes_of_a_file_take_the_place_of_all_inherited_ones() -> None:
    base = Policy(attributes={"mail": "email"})
    policy = policy_of('entity_id = "a"\n[attributes]\nn = "name"', base=base)
    assert policy.attributes == {"n": "name"}


def test_attributes_keep_their_order() -> None:
    policy = policy_of('entity_id = "a"\n[attributes]\nz = "email"\na = "name"\nm = "groups"')
    assert list(policy.attributes) == ["z", "a", "m"]


def test_every_value_can_be_traced_to_its_line() -> None:
    default = read_policy(
        b"[login]\n\naccess_symbols = 5\ntwo_step = true\n", file="default.toml", is_default=True
    )
    policy = policy_of(
        'entity_id = "a"\n# a note\n[login]\ntwo_step = true\n\n[attributes]\nm = "email"\n',
        base=complete(default, STRICTEST),
    )
    assert str(policy.source("login.two_step")) == "sp.toml:4"
    assert str(policy.source("attributes")) == "sp.toml:6"
    assert str(policy.source("login.access_symbols")) == "default.toml:3"
    assert str(policy.source("assertion.sign")) == "built-in default"
    assert set(policy.sources) == {"login.two_step", "attributes", "login.access_symbols"}


def test_every_spelling_of_a_key_has_its_place() -> None:
    text = next(path for path in VECTORS if path.stem == "accepted-other-spellings").read_text()
    policy = policy_of(text)
    assert (policy.two_step, policy.groups) == (False, ("a", "b"))
    assert (policy.sign, policy.encrypt) == (Signing.BOTH, Encryption.NEVER)
    lines = {key: source.line for key, source in policy.sources.items()}
    assert lines == {
        "login.two_step": 4,
        "login.groups": 5,
        "assertion.sign": 9,
        "assertion.encrypt": 9,
        "attributes": 10,
    }


def test_windows_line_ends_are_counted_once() -> None:
    assert "sp.toml:3:1" in told(b'entity_id = "a"\r\n[login]\r\ncolour = 1\r\n')


def test_seconds_become_durations() -> None:
    policy = policy_of('entity_id = "a"\nlogin.approval_seconds = 90')
    assert policy.approval_lifetime == timedelta(seconds=90)


def test_the_default_speaks_of_no_provider() -> None:
    assert "the default is about every service" in told(b'entity_id = "a"', is_default=True)
    assert read_policy(b"", file="default.toml", is_default=True).entity_id is None


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        (b'entity_id = "a"\nx = "\xff"', "sp.toml:2:6: this is not UTF-8"),
        ('\ufeffentity_id = "a"'.encode(), "byte order mark"),
        ('entity_id = "a"'.encode("utf-16"), "not UTF-8"),
        (b'entity_id = "a"\x00', "sp.toml:1"),
        (b'entity_id = "a"\r', "sp.toml:1"),
        (b"x" * 65537, "over 65536 octets"),
        (b'entity_id = "a"\nx = ' + b"[" * 5000 + b"]" * 5000, "nested too deep"),
        (b"entity_id = " + b"9" * 5000, "sp.toml"),
        (b'entity_id = "a"\nx = 2026-02-30', "sp.toml"),
        (b'entity_id = "' + b"a" * 1025 + b'"', "1025 characters"),
        (b'entity_id = "a\\u0007b"', "control characters"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_text_of_ours_is_refused_and_named(octets: bytes, problem: str) -> None:
    assert problem in told(octets)


def test_too_many_attributes_and_groups_are_refused() -> None:
    many = "\n".join(f'a{number} = "email"' for number in range(51))
    assert "at most 50" in told(f'entity_id = "a"\n[attributes]\n{many}'.encode())
    groups = ", ".join(f'"{number}"' for number in range(201))
    assert "at most 200" in told(f'entity_id = "a"\nlogin.groups = [{groups}]'.encode())


@given(st.binary(max_size=300))
def test_no_octets_raise_anything_but_a_configuration_error(octets: bytes) -> None:
    assert all(fault.file == "sp.toml" and fault.mend for fault in faults_of(octets))


PIECES: Final = st.sampled_from(
    ["[", "]", "{", "}", '"', "'", '"""', "'''", "=", ".", ",", "#", "\n", " ", "\\", "login",
     "two_step", "true", "entity_id", "attributes", '"a"', "1", "2026-01-01", "\t", "é"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=40).map("".join))
def test_the_scanner_follows_whatever_the_reader_accepts(text: str) -> None:
    last = text.count("\n") + 1
    assert all(1 <= fault.line <= last for fault in faults_of(text.encode()))
    try:
        toml = read_toml(text.encode(), file="sp.toml")
    except ConfigurationError:
        return
    assert all(1 <= place.line <= last for place in toml.places().values())
    assert {path[0] for path in toml.places()} == toml.values.keys()


@pytest.mark.parametrize(
    ("octets", "entity_id"),
    [
        (b'entity_id = "https://a"\n[login', "https://a"),
        (b"  entity_id='b' # [", "b"),
        (b'# entity_id = "c"', None),
        (b"entity_id = ", None),
        (b"\xff", None),
        (b"", None),
    ],
)
def test_of_a_broken_file_the_provider_is_guessed(octets: bytes, entity_id: str | None) -> None:
    assert find_entity_id(octets) == entity_id


# ---- What the repository shows

ROOT: Final = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "policies" / "examples").glob("*.toml")), ids=lambda path: path.name
)
def test_the_examples_are_good(path: Path) -> None:
    assert read_policy(path.read_bytes(), file=path.name, is_default=False).entity_id


def test_the_default_of_the_repository_is_the_built_in_one_spelled_out() -> None:
    octets = (ROOT / "policies" / "default.toml").read_bytes()
    draft = read_policy(octets, file="default.toml", is_default=True)
    assert draft.values.keys() == set(FIELDS.values())
    assert plain_values(complete(draft, STRICTEST)) == plain_values(STRICTEST)


@pytest.mark.parametrize("page", ["policies/README.md", "docs/policy-reference.md"])
def test_the_policies_in_the_documentation_are_good(page: str) -> None:
    blocks = (ROOT / page).read_text().split("```toml\n")[1:]
    assert blocks
    for block in blocks:
        text = block.split("```")[0]
        is_default = "entity_id" not in text
        read_policy(text.encode(), file=page, is_default=is_default)


def test_the_reference_explains_every_key() -> None:
    page = (ROOT / "docs" / "policy-reference.md").read_text()
    assert [key for key in FIELDS if f"`{key}`" not in page] == []
