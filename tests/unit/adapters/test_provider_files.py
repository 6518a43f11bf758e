"""The metadata folder: one bad file never stops the others, and order decides nothing."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from saml_idp.adapters.provider_files import MetadataChange, ProviderFiles
from saml_idp.domain.errors import ConfigurationError, Conflict, Fault
from saml_idp.domain.ids import EntityId
from saml_idp.saml.sp_metadata import write_minimal_metadata
from tests.fakes import FakeClock

JIRA: Final = EntityId("https://jira.example.com")
WIKI: Final = EntityId("https://wiki.example.com")
CODE: Final = EntityId("https://code.example.com")
ROOT: Final = Path(__file__).parents[3]


def entity(entity_id: str, *, acs: str | None = None, until: str = "") -> str:
    written = write_minimal_metadata(entity_id, acs or f"{entity_id}/acs").decode()
    xml = written.split("?>", 1)[1].strip()
    return xml.replace("entityID=", f'validUntil="{until}" entityID=', 1) if until else xml


def group(*entities: str) -> str:
    inner = "\n".join(entities)
    return (
        '<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">'
        f"{inner}</md:EntitiesDescriptor>"
    )


def spoiled(entity_id: str) -> str:
    return entity(entity_id, acs="http://plain.example.com/acs")


class Operator:
    """A folder, the providers read from it, and what was told."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock = FakeClock()
        self.changes: list[MetadataChange] = []
        self.faults: list[Fault] = []
        directory.mkdir()

    def writes(self, name: str, text: str) -> None:
        (self.directory / name).write_text(text)

    def starts(self, *, allow_http_loopback: bool = False) -> ProviderFiles:
        return ProviderFiles(
            self.directory,
            allow_http_loopback=allow_http_loopback,
            clock=self.clock,
            on_change=self.changes.append,
            on_faults=lambda faults: self.faults.__setitem__(slice(None), faults),
        )


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path / "metadata")


def ids(files: ProviderFiles) -> list[str]:
    return [provider.entity_id for provider in files]


def test_every_entity_of_every_file_is_a_provider(operator: Operator) -> None:
    operator.writes("b.xml", entity(JIRA))
    operator.writes("a.xml", group(entity(WIKI), entity(CODE)))
    operator.writes("notes.txt", "no metadata")
    (operator.directory / "examples").mkdir()
    operator.writes("examples/x.xml", "<")
    files = operator.starts()
    assert ids(files) == sorted([JIRA, WIKI, CODE])
    assert files.faults() == ()
    provider = files.find(JIRA)
    assert provider is not None
    assert str(provider.source) == "metadata/b.xml:1"
    assert files.find(EntityId(f"{JIRA}/")) is None


def test_a_bad_file_never_stops_the_others(operator: Operator) -> None:
    operator.writes("bad.xml", "<!DOCTYPE a><a/>")
    operator.writes("empty.xml", "")
    operator.writes("good.xml", entity(JIRA))
    files = operator.starts()
    assert ids(files) == [JIRA]
    assert {fault.file for fault in files.faults()} == {"metadata/bad.xml", "metadata/empty.xml"}
    assert operator.faults == list(files.faults())


def test_a_bad_entity_is_set_aside_and_the_others_of_its_file_are_taken(
    operator: Operator,
) -> None:
    operator.writes("a.xml", group(entity(WIKI), spoiled(JIRA), entity(CODE)))
    files = operator.starts()
    assert ids(files) == sorted([WIKI, CODE])
    (fault,) = files.faults()
    assert "https" in fault.mend


def test_http_is_taken_for_this_machine_in_development_alone(operator: Operator) -> None:
    operator.writes("a.xml", entity("http://127.0.0.1:8080"))
    assert ids(operator.starts()) == []
    assert ids(operator.starts(allow_http_loopback=True)) == ["http://127.0.0.1:8080"]


def becomes_a_link_out_of_the_folder(path: Path) -> None:
    elsewhere = path.parent.parent / "x.xml"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


SPOILS: Final[dict[str, Callable[[Path], object]]] = {
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:60]),
    "emptied": lambda path: path.write_text(""),
    "spoiled": lambda path: path.write_text(spoiled(JIRA)),
    "writable by everyone": lambda path: path.chmod(0o646),
    "a link out of the folder": becomes_a_link_out_of_the_folder,
}


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
def test_a_file_that_becomes_bad_leaves_its_last_good_version_in_force(
    operator: Operator, spoil: Callable[[Path], object]
) -> None:
    operator.writes("a.xml", entity(JIRA))
    operator.writes("b.xml", entity(WIKI))
    files = operator.starts()
    spoil(operator.directory / "a.xml")
    files.refresh()
    files.refresh()
    assert ids(files) == [JIRA, WIKI]
    (fault,) = files.faults()
    assert fault.file == "metadata/a.xml"


def test_of_an_aggregate_that_is_cut_off_every_last_good_entity_stays(operator: Operator) -> None:
    operator.writes("a.xml", group(entity(WIKI), entity(JIRA), entity(CODE)))
    files = operator.starts()
    whole = (operator.directory / "a.xml").read_text()
    operator.writes("a.xml", whole[: whole.index(JIRA)])
    files.refresh()
    assert ids(files) == sorted([WIKI, JIRA, CODE])


def test_of_a_bad_entity_in_an_aggregate_the_last_good_version_stays(operator: Operator) -> None:
    operator.writes("a.xml", group(entity(WIKI), entity(JIRA), entity(CODE)))
    files = operator.starts()
    operator.writes("a.xml", group(entity(WIKI, acs=f"{WIKI}/new"), spoiled(JIRA)))
    files.refresh()
    assert ids(files) == [JIRA, WIKI]  # code was taken out on purpose
    wiki, jira = files.find(WIKI), files.find(JIRA)
    assert wiki is not None
    assert jira is not None
    assert wiki.consumers[0].location == f"{WIKI}/new"
    assert jira.consumers[0].location == f"{JIRA}/acs"


def test_a_removed_file_takes_its_providers_along_at_once(operator: Operator) -> None:
    operator.writes("a.xml", group(entity(WIKI), entity(JIRA)))
    operator.writes("b.xml", entity(CODE))
    files = operator.starts()
    (operator.directory / "a.xml").unlink()
    files.refresh()
    assert ids(files) == [CODE]
    (change,) = operator.changes
    assert change.removed == (JIRA, WIKI)


def test_the_last_file_may_be_removed_too(operator: Operator) -> None:
    operator.writes("a.xml", entity(JIRA))
    files = operator.starts()
    (operator.directory / "a.xml").unlink()
    files.refresh()
    assert ids(files) == []


@pytest.mark.parametrize("while_running", [False, True])
def test_a_provider_of_two_files_is_in_none_and_both_are_named(
    operator: Operator, *, while_running: bool
) -> None:
    operator.writes("a.xml", group(entity(JIRA), entity(WIKI)))
    files = operator.starts()
    operator.writes("b.xml", entity(JIRA, acs="https://evil.example.com/acs"))
    if while_running:
        files.refresh()
    else:
        files = operator.starts()
    assert ids(files) == [WIKI]
    first, second = files.faults()
    assert (first.file, second.file) == ("metadata/a.xml", "metadata/b.xml")
    assert "metadata/b.xml" in first.problem
    assert "metadata/a.xml" in second.problem
    (operator.directory / "b.xml").unlink()
    files.refresh()
    assert ids(files) == [JIRA, WIKI]


def test_a_provider_twice_in_one_file_is_not_kept_from_before(operator: Operator) -> None:
    operator.writes("a.xml", group(entity(JIRA), entity(WIKI)))
    files = operator.starts()
    operator.writes("a.xml", group(entity(JIRA), entity(JIRA, acs="https://e.com"), entity(WIKI)))
    files.refresh()
    assert ids(files) == [WIKI]
    operator.writes("a.xml", group(entity(WIKI), entity(WIKI)))
    files.refresh()
    assert ids(files) == []


def test_metadata_that_ends_while_running_ends(operator: Operator) -> None:
    until = operator.clock.now() + timedelta(hours=1)
    operator.writes("a.xml", entity(JIRA, until=f"{until:%Y-%m-%dT%H:%M:%SZ}"))
    operator.writes("b.xml", entity(WIKI))
    files = operator.starts()
    assert files.find(JIRA) is not None
    operator.clock.advance(hours=1)
    assert files.find(JIRA) is None
    assert ids(files) == [WIKI]
    (fault,) = files.faults()
    assert (fault.key, fault.file) == ("validUntil", "metadata/a.xml")


def test_a_version_that_says_it_has_ended_counts(operator: Operator) -> None:
    operator.writes("a.xml", entity(JIRA))
    files = operator.starts()
    operator.writes("a.xml", entity(JIRA, until="2020-01-01T00:00:00Z"))
    files.refresh()
    assert files.find(JIRA) is None


def test_a_change_is_told_with_its_digest_and_effect(operator: Operator) -> None:
    operator.writes("a.xml", group(entity(JIRA), entity(WIKI)))
    files = operator.starts()
    assert operator.changes == []
    operator.writes("a.xml", group(entity(JIRA, acs=f"{JIRA}/new"), entity(CODE)))
    files.refresh()
    files.refresh()
    (change,) = operator.changes
    assert change.file == "metadata/a.xml"
    assert len(change.sha256) == 64
    assert (change.added, change.removed) == ((CODE,), (WIKI,))
    assert change.changed[0] == JIRA


def test_a_half_written_file_is_not_read(operator: Operator) -> None:
    operator.writes("a.xml", entity(JIRA))
    files = operator.starts()
    operator.writes("a.xml", entity(WIKI))
    files.refresh(wait=lambda: operator.writes("a.xml", entity(CODE)))
    assert ids(files) == [JIRA]
    files.refresh(wait=lambda: None)
    assert ids(files) == [CODE]


def test_a_look_at_the_providers_does_not_see_a_change_half_way(operator: Operator) -> None:
    operator.writes("a.xml", group(entity(JIRA), entity(WIKI)))
    files = operator.starts()
    look = iter(files)
    seen = [next(look).entity_id]
    operator.writes("a.xml", entity(CODE))
    files.refresh()
    seen += [provider.entity_id for provider in look]
    assert seen == [JIRA, WIKI]


VECTORS: Final = sorted((ROOT / "tests" / "vectors" / "metadata").glob("*.xml"))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda path: path.stem)
def test_a_file_has_the_fault_that_it_announces(operator: Operator, vector: Path) -> None:
    text = vector.read_text()
    expected = text.split("<!-- expected: ")[1].split(" -->")[0]
    operator.writes(vector.name, text)
    files = operator.starts()
    verdict, _, rest = expected.partition(" ")
    if verdict == "ok":
        assert files.faults() == ()
        assert ids(files) == rest.split()
        return
    key, problem = (part.strip() for part in rest.split("|"))
    assert ids(files) == []
    for fault in files.faults():
        assert (fault.file, fault.line > 0) == (f"metadata/{vector.name}", True)
        assert problem in fault.problem
        assert key in {"", fault.key}
    assert files.faults()


# ---- Adding


def test_a_provider_is_added_by_entity_id_and_address_alone(operator: Operator) -> None:
    files = operator.starts()
    octets = files.minimal(JIRA, f"{JIRA}/plugins/servlet/samlconsumer")
    (provider,) = files.add(octets)
    assert provider.entity_id == JIRA
    assert files.find(JIRA) == provider
    assert provider.source.file == "metadata/jira.example.com.xml"
    assert ids(operator.starts()) == [JIRA]


def test_a_file_is_added_as_it_is(operator: Operator) -> None:
    files = operator.starts()
    octets = (ROOT / "metadata" / "examples" / "federation.xml").read_bytes()
    added = files.add(octets)
    assert len(added) == 2
    assert [path.read_bytes() for path in operator.directory.iterdir()] == [octets]


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        (spoiled(WIKI).encode(), "not an https URL"),
        (group(entity(WIKI), spoiled(CODE)).encode(), "not an https URL"),
        (b"<x", "not well formed"),
        (entity(JIRA).encode(), "stands in metadata/jira.xml:1 already"),
    ],
)
def test_nothing_is_added_that_has_a_fault(operator: Operator, octets: bytes, problem: str) -> None:
    operator.writes("jira.xml", entity(JIRA))
    files = operator.starts()
    with pytest.raises(ConfigurationError, match=problem):
        files.add(octets)
    assert [path.name for path in operator.directory.iterdir()] == ["jira.xml"]


def test_what_stands_in_a_bad_file_is_not_added_beside_it(operator: Operator) -> None:
    operator.writes("jira.xml", spoiled(JIRA))
    files = operator.starts()
    with pytest.raises((ConfigurationError, Conflict), match=r"jira\.xml"):
        files.add(entity(JIRA).encode())


# ---- What the repository shows


@pytest.mark.parametrize(
    "path", sorted((ROOT / "metadata" / "examples").glob("*.xml")), ids=lambda p: p.name
)
def test_the_examples_are_good(operator: Operator, path: Path) -> None:
    assert operator.starts().check_octets(path.read_bytes(), file=path.name)


def test_the_files_for_everyone_name_no_provider(tmp_path: Path) -> None:
    files = ProviderFiles(ROOT / "metadata", allow_http_loopback=False, clock=FakeClock())
    assert ids(files) == []
    assert files.faults() == ()


def test_the_xml_of_the_readme_is_good(operator: Operator) -> None:
    blocks = (ROOT / "metadata" / "README.md").read_text().split("```xml\n")[1:]
    assert blocks
    for block in blocks:
        assert operator.starts().check_octets(block.split("```")[0].encode(), file="README.md")
