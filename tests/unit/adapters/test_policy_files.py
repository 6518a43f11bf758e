"""The policies folder: never weaker by accident; every hand passes the same checks."""

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pytest

from saml_idp.adapters.policy_files import PolicyFileChange, PolicyFiles
from saml_idp.domain.errors import ConfigurationError, Conflict, Fault, LockOut, LoginRefused
from saml_idp.domain.ids import EntityId
from saml_idp.domain.policy import STRICTEST

JIRA: Final = EntityId("https://jira.example.com")
WIKI: Final = EntityId("https://wiki.example.com")
OFF: Final = "login.two_step = false\n"


class Operator:
    """A folder, the policies read from it, and what was told."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.changes: list[PolicyFileChange] = []
        self.faults: list[Fault] = []
        self.has_ready_administrator = True
        self.guard_was_asked = 0
        directory.mkdir()

    def writes(self, name: str, text: str) -> None:
        (self.directory / name).write_text(text)

    def writes_policy(self, name: str, entity_id: str, rest: str = "") -> None:
        self.writes(name, f'entity_id = "{entity_id}"\n{rest}')

    def starts(self) -> PolicyFiles:
        self.changes.clear()
        return PolicyFiles(
            self.directory,
            lock_out_guard=self._guard,
            on_change=self.changes.append,
            on_faults=lambda faults: self.faults.__setitem__(slice(None), faults),
        )

    def _guard(self) -> bool:
        self.guard_was_asked += 1
        return self.has_ready_administrator


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path / "policies")


def refused(files: PolicyFiles, entity_id: EntityId) -> bool:
    try:
        files.policy_for(entity_id)
    except LoginRefused as error:
        return error.reason == "policy_fault"
    return False


def one_fault(files: PolicyFiles) -> str:
    (fault,) = files.faults()
    return str(fault)


# ---- What counts


def test_without_any_file_the_strictest_counts(operator: Operator) -> None:
    assert operator.starts().policy_for(JIRA) == STRICTEST


def test_a_provider_without_a_file_is_under_the_default(operator: Operator) -> None:
    operator.writes("default.toml", OFF)
    operator.writes_policy("jira.toml", JIRA, "login.access_symbols = 6")
    files = operator.starts()
    assert not files.policy_for(WIKI).two_step
    assert files.policy_for(WIKI).entity_id is None
    jira = files.policy_for(JIRA)
    assert (jira.entity_id, jira.two_step, jira.access_symbols) == (JIRA, False, 6)


def test_a_change_of_the_default_reaches_those_who_inherit_it(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA, "login.access_symbols = 6")
    files = operator.starts()
    operator.writes("default.toml", "login.access_symbols = 5\nassertion.sign = 'response'")
    files.refresh()
    assert files.policy_for(JIRA).access_symbols == 6
    assert files.policy_for(JIRA).sign == "response"
    assert files.policy_for(WIKI).access_symbols == 5


def test_entity_ids_are_compared_octet_for_octet(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA, OFF)
    files = operator.starts()
    assert files.policy_for(EntityId(f"{JIRA}/")).two_step
    assert files.policy_for(EntityId(JIRA.upper())).two_step


@pytest.mark.parametrize("name", ["jira.txt", "jira.toml~", ".jira.toml", "jira.toml.bak", "jira"])
def test_files_of_other_names_do_not_count(operator: Operator, name: str) -> None:
    operator.writes(name, "not [ TOML")
    assert operator.starts().faults() == ()


def test_files_of_subfolders_do_not_count(operator: Operator) -> None:
    (operator.directory / "examples").mkdir()
    operator.writes_policy("examples/jira.toml", JIRA, OFF)
    files = operator.starts()
    assert files.policy_for(JIRA).two_step
    assert files.faults() == ()


# ---- A file that is wrong while the server runs (rule 6, M02)


def becomes_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def becomes_a_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def becomes_a_dangling_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("gone.txt")


def becomes_a_link_out_of_the_folder(path: Path) -> None:
    elsewhere = path.parent.parent / "elsewhere.toml"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


WRONG: Final[dict[str, Callable[[Path], object]]] = {
    "broken": lambda path: path.write_text("[login"),
    "emptied": lambda path: path.write_text(""),
    "cut off": lambda path: path.write_text(path.read_text()[:30]),
    "unknown key": lambda path: path.write_text(path.read_text() + "loggin.two_step = false\n"),
    "no text": lambda path: path.write_bytes(b"\xff\xfe"),
    "too large": lambda path: path.write_text("#" * 70_000),
    "writable by everyone": lambda path: path.chmod(0o646),
    "a folder": becomes_a_folder,
    "a FIFO": becomes_a_fifo,
    "a link that dangles": becomes_a_dangling_link,
    "a link out of the folder": becomes_a_link_out_of_the_folder,
}


@pytest.mark.parametrize("spoil", WRONG.values(), ids=WRONG)
def test_a_file_that_becomes_wrong_leaves_its_last_good_version_in_force(
    operator: Operator, spoil: Callable[[Path], object]
) -> None:
    operator.writes("default.toml", OFF)
    operator.writes_policy("jira.toml", JIRA, 'login.two_step = true\nlogin.groups = ["a"]\n')
    operator.writes_policy("wiki.toml", WIKI, OFF)
    files = operator.starts()
    spoil(operator.directory / "jira.toml")
    files.refresh()
    files.refresh()
    assert files.policy_for(JIRA).two_step
    assert files.policy_for(JIRA).groups == ("a",)
    assert not files.policy_for(WIKI).two_step
    assert "policies/jira.toml" in one_fault(files)
    assert operator.faults == list(files.faults())
    assert operator.changes == []


@pytest.mark.parametrize("spoil", WRONG.values(), ids=WRONG)
def test_a_file_that_is_wrong_at_the_start_lets_nobody_in(
    operator: Operator, spoil: Callable[[Path], object]
) -> None:
    operator.writes("default.toml", OFF)
    operator.writes_policy("jira.toml", JIRA, 'login.two_step = true\nlogin.groups = ["a"]\n')
    operator.writes_policy("wiki.toml", WIKI, OFF)
    spoil(operator.directory / "jira.toml")
    files = operator.starts()
    assert refused(files, JIRA)
    assert not refused(files, WIKI)
    assert "policies/jira.toml" in one_fault(files)


def test_an_unreadable_file_at_the_start_lets_nobody_in(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.writes_policy("jira.toml", JIRA, 'login.groups = ["a"]\n')

    def denied(path: object, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:  # chmod 000 does not stop root, who may run this
        patched.setattr(os, "open", denied)
        files = operator.starts()
    assert refused(files, JIRA)
    assert "Permission denied" in one_fault(files)


def test_where_the_provider_of_a_wrong_file_is_known_the_others_go_on(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA, "login.two_step = maybe")
    files = operator.starts()
    assert refused(files, JIRA)
    assert not refused(files, WIKI)


def test_where_it_is_not_known_only_those_with_a_good_file_go_on(operator: Operator) -> None:
    operator.writes("jira.toml", "")
    operator.writes_policy("wiki.toml", WIKI)
    files = operator.starts()
    assert refused(files, JIRA)
    assert not refused(files, WIKI)


def test_a_wrong_default_at_the_start_lets_nobody_in_who_has_no_file(operator: Operator) -> None:
    operator.writes("default.toml", "login.two_step = maybe")
    files = operator.starts()
    assert refused(files, JIRA)
    assert "policies/default.toml:1:18" in one_fault(files)


def test_a_wrong_default_at_the_start_lets_nobody_in_whose_file_inherits_it(
    operator: Operator,
) -> None:
    operator.writes("default.toml", "login.groups = 5")
    operator.writes_policy("jira.toml", JIRA, OFF)
    assert refused(operator.starts(), JIRA)


def test_a_file_that_was_wrong_at_the_start_counts_once_it_is_mended(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA, "login.two_step = maybe")
    files = operator.starts()
    operator.writes_policy("jira.toml", JIRA, "login.access_symbols = 7")
    files.refresh()
    assert refused(files, JIRA)
    operator.writes_policy("jira.toml", JIRA, "login.access_symbols = 5")
    files.refresh()
    assert files.policy_for(JIRA).access_symbols == 5
    assert files.faults() == ()
    operator.writes_policy("jira.toml", JIRA, "login.access_symbols = 7")
    files.refresh()
    assert files.policy_for(JIRA).access_symbols == 5


def test_a_file_wrong_since_the_start_does_not_get_round_it_by_vanishing_for_a_moment(
    operator: Operator,
) -> None:
    operator.writes("default.toml", OFF)
    operator.writes_policy("jira.toml", JIRA, "login.groups = maybe")
    files = operator.starts()
    (operator.directory / "jira.toml").unlink()
    files.refresh()
    operator.writes_policy("jira.toml", JIRA, "login.groups = maybe")
    files.refresh()
    assert refused(files, JIRA)


def test_a_file_that_was_mended_and_removed_is_new_when_it_comes_back_wrong(
    operator: Operator,
) -> None:
    operator.writes_policy("jira.toml", JIRA, "login.two_step = maybe")
    files = operator.starts()
    operator.writes_policy("jira.toml", JIRA)
    files.refresh()
    (operator.directory / "jira.toml").unlink()
    files.refresh()
    operator.writes_policy("jira.toml", JIRA, "login.two_step = maybe")
    files.refresh()
    assert files.policy_for(JIRA) == STRICTEST


def test_a_new_file_that_is_wrong_leaves_in_force_what_was(operator: Operator) -> None:
    operator.writes("default.toml", "login.access_symbols = 5")
    files = operator.starts()
    operator.writes_policy("jira.toml", JIRA, "login.two_step = maybe")
    files.refresh()
    assert files.policy_for(JIRA).access_symbols == 5
    assert "policies/jira.toml:2:18" in one_fault(files)


def test_a_removed_file_leaves_the_default_and_says_what_that_loosens(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA, 'login.groups = ["a"]\nlogin.access_symbols = 5')
    operator.writes_policy("wiki.toml", WIKI)
    files = operator.starts()
    (operator.directory / "jira.toml").unlink()
    files.refresh()
    assert files.policy_for(JIRA) == STRICTEST
    (change,) = operator.changes
    assert (change.file, change.sha256) == ("policies/jira.toml", "")
    assert change.loosened == ("login.access_symbols", "login.groups")


# ---- Two files about one provider (P02, M03)


@pytest.mark.parametrize("while_running", [False, True])
def test_two_files_about_one_provider_refuse_it_and_name_both(
    operator: Operator, *, while_running: bool
) -> None:
    operator.writes_policy("a.toml", JIRA)
    files = operator.starts()
    operator.writes_policy("b.toml", JIRA, OFF)
    operator.writes_policy("wiki.toml", WIKI)
    if while_running:
        files.refresh()
    else:
        files = operator.starts()
    assert refused(files, JIRA)
    assert not refused(files, WIKI)
    first, second = map(str, files.faults())
    assert first.startswith("policies/a.toml:1:1: [entity_id]")
    assert "policies/b.toml" in first
    assert second.startswith("policies/b.toml:1:1: [entity_id]")
    assert "policies/a.toml" in second
    (operator.directory / "b.toml").unlink()
    files.refresh()
    assert files.policy_for(JIRA).two_step
    assert files.faults() == ()


# ---- The folder itself (M08, M13)


def test_a_folder_that_everyone_may_write_lets_nobody_in(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA)
    operator.directory.chmod(0o777)
    files = operator.starts()
    assert refused(files, JIRA)
    assert "everyone may write in this folder" in one_fault(files)
    operator.directory.chmod(0o755)
    files.refresh()
    assert not refused(files, JIRA)


def test_a_missing_folder_lets_nobody_in(tmp_path: Path) -> None:
    files = PolicyFiles(tmp_path / "policies", lock_out_guard=lambda: True)
    assert refused(files, JIRA)
    assert "No such file" in one_fault(files)


def test_a_folder_that_vanishes_leaves_the_last_good_files_in_force(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA, 'login.groups = ["a"]')
    files = operator.starts()
    operator.directory.rename(operator.directory.with_name("away"))
    files.refresh()
    assert files.policy_for(JIRA).groups == ("a",)
    operator.directory.mkdir()  # an empty mount point
    files.refresh()
    assert files.policy_for(JIRA).groups == ("a",)
    assert "another, empty folder" in one_fault(files)


def test_a_link_inside_the_folder_is_followed(operator: Operator) -> None:
    (operator.directory / "..data").mkdir()
    operator.writes_policy("..data/jira.toml", JIRA, OFF)
    (operator.directory / "jira.toml").symlink_to("..data/jira.toml")
    files = operator.starts()
    assert not files.policy_for(JIRA).two_step
    operator.writes_policy("..data/jira.toml", JIRA, "login.access_symbols = 6")
    files.refresh()
    assert files.policy_for(JIRA).access_symbols == 6


# ---- Half-written files (M14)


def test_a_file_that_still_moves_is_not_read(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA, 'login.groups = ["a"]\n')
    files = operator.starts()
    operator.writes_policy("jira.toml", JIRA, "")  # good TOML, but only the beginning

    def goes_on() -> None:
        operator.writes_policy("jira.toml", JIRA, 'login.groups = ["b"]\n')

    files.refresh(wait=goes_on)
    assert files.policy_for(JIRA).groups == ("a",)
    files.refresh(wait=lambda: None)
    assert files.policy_for(JIRA).groups == ("b",)


def test_a_file_that_is_away_for_a_moment_is_not_gone(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA, 'login.groups = ["a"]\n')
    files = operator.starts()
    (operator.directory / "jira.toml").unlink()

    def comes_back() -> None:
        operator.writes_policy("jira.toml", JIRA, 'login.groups = ["a"]\n')

    files.refresh(wait=comes_back)
    files.refresh(wait=lambda: None)
    assert files.policy_for(JIRA).groups == ("a",)
    assert operator.changes == []


def test_a_reader_never_sees_a_mixture(operator: Operator) -> None:
    def version(number: int) -> str:
        return (
            f"[login]\nstep_max_age_seconds = {number}\napproval_seconds = {number}\n" + "#" * 9000
        )

    operator.writes_policy("jira.toml", JIRA, version(100))
    files = operator.starts()
    stop = threading.Event()
    seen: set[tuple[float, float]] = set()

    def reads() -> None:
        while not stop.is_set():
            policy = files.policy_for(JIRA)
            seen.add(
                (policy.step_max_age.total_seconds(), policy.approval_lifetime.total_seconds())
            )

    reader = threading.Thread(target=reads)
    reader.start()
    for number in range(101, 140):
        operator.writes_policy("jira.toml", JIRA, version(number))
        files.refresh()
    stop.set()
    reader.join()
    assert all(first == second for first, second in seen)
    assert files.policy_for(JIRA).approval_lifetime.total_seconds() == 139


# ---- Lock-out guard (rule 4)


def test_at_the_first_start_two_step_may_be_on(operator: Operator) -> None:
    operator.has_ready_administrator = False
    operator.writes("default.toml", OFF)
    operator.writes_policy("jira.toml", JIRA, "login.two_step = true")
    assert operator.starts().policy_for(JIRA).two_step
    assert operator.guard_was_asked == 0


SWITCHES_ON: Final[Mapping[str, Callable[[Operator], object]]] = {
    "own file": lambda o: o.writes_policy("jira.toml", JIRA, "login.two_step = true"),
    "key removed": lambda o: o.writes_policy("jira.toml", JIRA),
    "file removed": lambda o: (o.directory / "jira.toml").unlink(),
    "given to another": lambda o: o.writes_policy("jira.toml", WIKI, "login.two_step = false"),
}


@pytest.mark.parametrize("change", SWITCHES_ON.values(), ids=SWITCHES_ON)
def test_two_step_is_not_switched_on_while_no_administrator_is_ready(
    operator: Operator, change: Callable[[Operator], object]
) -> None:
    operator.writes_policy("jira.toml", JIRA, OFF)
    operator.has_ready_administrator = False
    files = operator.starts()
    change(operator)
    files.refresh()
    assert not files.policy_for(JIRA).two_step
    assert files.policy_for(WIKI).two_step
    assert "no enabled administrator" in one_fault(files)
    assert operator.changes == []
    operator.has_ready_administrator = True  # without any change of a file
    files.refresh()
    assert files.policy_for(JIRA).two_step
    assert files.faults() == ()
    assert [change.file for change in operator.changes] == ["policies/jira.toml"]


@pytest.mark.parametrize("text", ["", "login.two_step = true", None])
def test_the_default_is_not_switched_on_either(operator: Operator, text: str | None) -> None:
    operator.writes("default.toml", OFF)
    operator.writes_policy("jira.toml", JIRA)
    operator.has_ready_administrator = False
    files = operator.starts()
    if text is None:
        (operator.directory / "default.toml").unlink()
    else:
        operator.writes("default.toml", text)
    operator.writes_policy("wiki.toml", WIKI, "login.access_symbols = 5")
    files.refresh()
    assert not files.policy_for(JIRA).two_step
    assert not files.policy_for(EntityId("any other")).two_step
    assert files.policy_for(WIKI).access_symbols == 5  # other changes are taken
    assert "policies/default.toml: [login.two_step]" in one_fault(files)


def test_what_switches_nothing_on_does_not_ask_for_an_administrator(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA, OFF)
    files = operator.starts()
    operator.writes_policy("jira.toml", JIRA, f"{OFF}login.access_symbols = 5")
    operator.writes_policy("wiki.toml", WIKI, "login.two_step = true")
    files.refresh()
    assert files.policy_for(JIRA).access_symbols == 5
    assert operator.guard_was_asked == 0


# ---- What is told


def test_a_change_is_told_with_its_digest_and_effect(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA)
    files = operator.starts()
    operator.writes_policy("jira.toml", JIRA, f"{OFF}login.approval_seconds = 60")
    files.refresh()
    files.refresh()
    (change,) = operator.changes
    assert change.file == "policies/jira.toml"
    assert len(change.sha256) == 64
    assert change.loosened == ("login.two_step",)
    assert change.effects[JIRA].tightened == ("login.approval_seconds",)


def test_a_change_of_the_default_tells_for_whom(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA)
    operator.writes_policy("wiki.toml", WIKI, "login.two_step = true")
    files = operator.starts()
    operator.writes("default.toml", OFF)
    files.refresh()
    (change,) = operator.changes
    assert change.effects.keys() == {None, JIRA}


def test_a_touched_file_is_no_change_of_policy(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA)
    files = operator.starts()
    operator.writes_policy("jira.toml", JIRA, "# a note\n")
    files.refresh()
    (change,) = operator.changes
    assert change.effects == {}


# ---- Editing


def test_an_edit_keeps_comments_and_order(operator: Operator) -> None:
    operator.writes(
        "jira.toml",
        f'# Jira\nentity_id = "{JIRA}"  # base URL\n\n[login]   # who\n'
        'groups = ["a"]  # staff\ntwo_step  = true # both steps\n\n# the end\n',
    )
    files = operator.starts()
    files.set_value(JIRA, "login.two_step", False, confirm_loosening=True)  # noqa: FBT003
    assert (operator.directory / "jira.toml").read_text() == (
        f'# Jira\nentity_id = "{JIRA}"  # base URL\n\n[login]   # who\n'
        'groups = ["a"]  # staff\ntwo_step  = false # both steps\n\n# the end\n'
    )
    assert not files.policy_for(JIRA).two_step


def test_an_edit_says_what_it_changes(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA, 'login.groups = ["a"]')
    files = operator.starts()
    planned = files.plan_change(JIRA, "login.groups", ["a", "b"])
    assert (planned.file, planned.key) == ("policies/jira.toml", "login.groups")
    assert (planned.before, planned.after) == ('["a"]', '["a", "b"]')
    assert planned.loosened == ("login.groups",)
    assert files.policy_for(JIRA).groups == ("a",)


def test_a_loosening_has_to_be_confirmed(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA)
    files = operator.starts()
    with pytest.raises(Conflict, match=r"loosens login\.two_step") as caught:
        files.set_value(JIRA, "login.two_step", False, confirm_loosening=False)  # noqa: FBT003
    assert caught.value.reason == "loosening_unconfirmed"
    assert files.policy_for(JIRA).two_step
    assert "two_step" not in (operator.directory / "jira.toml").read_text()


def test_a_tightening_needs_no_confirmation(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA)
    files = operator.starts()
    files.set_value(JIRA, "login.access_symbols", 6, confirm_loosening=False)
    assert files.policy_for(JIRA).access_symbols == 6


def test_an_edit_makes_a_file_for_a_provider_that_has_none(operator: Operator) -> None:
    files = operator.starts()
    planned = files.set_value(JIRA, "login.access_symbols", 6, confirm_loosening=False)
    assert planned.file == "policies/jira.example.com.toml"
    assert files.policy_for(JIRA).access_symbols == 6
    assert operator.starts().policy_for(JIRA).access_symbols == 6
    assert (operator.directory / planned.name).stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    "entity_id",
    ["../../etc/passwd", "https://../x", "default", "https://default/", "/", "ünïcode", "a" * 1024,
     "https://jira.example.com:8443/x", "urn:mace:sp", "https://x/..\\..\\y"],
)  # fmt: skip
def test_an_entity_id_never_becomes_a_path(operator: Operator, entity_id: str) -> None:
    files = operator.starts()
    planned = files.set_value(
        EntityId(entity_id), "login.access_symbols", 6, confirm_loosening=False
    )
    assert list(operator.directory.iterdir()) == [operator.directory / planned.name]
    assert planned.name != "default.toml"
    assert files.policy_for(EntityId(entity_id)).access_symbols == 6


def test_two_providers_of_one_host_get_two_files(operator: Operator) -> None:
    files = operator.starts()
    for path in ("a", "b"):
        files.set_value(EntityId(f"{JIRA}/{path}"), "login.access_symbols", 6,
                        confirm_loosening=False)  # fmt: skip
    names = sorted(path.name for path in operator.directory.iterdir())
    assert names == ["jira.example.com-2.toml", "jira.example.com.toml"]


def test_the_default_is_edited_by_no_name(operator: Operator) -> None:
    files = operator.starts()
    planned = files.set_value(None, "login.access_symbols", 5, confirm_loosening=False)
    assert planned.file == "policies/default.toml"
    assert files.policy_for(JIRA).access_symbols == 5


def test_a_removed_key_counts_as_the_default(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA, "[login]\naccess_symbols = 5\n")
    files = operator.starts()
    files.set_value(JIRA, "login.access_symbols", None, confirm_loosening=True)
    assert files.policy_for(JIRA).access_symbols == 4
    assert "access_symbols" not in (operator.directory / "jira.toml").read_text()
    files.set_value(JIRA, "logout.accept_unsigned", None, confirm_loosening=True)


@pytest.mark.parametrize(
    "text", ["", "[attributes]\nmail = 'email'\n", "attributes.mail = 'email'"]
)
def test_an_attribute_is_added_to_those_there_are(operator: Operator, text: str) -> None:
    operator.writes("default.toml", '[attributes]\nmail = "email"\n')
    operator.writes_policy("jira.toml", JIRA, text)
    files = operator.starts()
    files.set_value(JIRA, "attributes.urn:oid:2.5.4.42", "given_name", confirm_loosening=True)
    released = {"mail": "email", "urn:oid:2.5.4.42": "given_name"}
    assert files.policy_for(JIRA).attributes == released
    files.set_value(JIRA, "attributes.mail", None, confirm_loosening=False)
    assert files.policy_for(JIRA).attributes == {"urn:oid:2.5.4.42": "given_name"}


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("login.access_symbols", 7, "out of bounds"),
        ("login.two_step", "no", "not true or false"),
        ("login.two_stepp", True, "unknown key"),
        ("login", {"two_step": False}, "unknown key"),
        ("entity_id", "https://other", "unknown key"),
        ("attributes.mail", "password", "no attribute"),
        ("attributes", "email", "not a table"),
        ("attributes.", "email", "unknown key"),
    ],
)
def test_an_edit_passes_the_same_checks_as_a_file(
    operator: Operator, key: str, value: object, problem: str
) -> None:
    operator.writes_policy("jira.toml", JIRA)
    files = operator.starts()
    with pytest.raises(ConfigurationError, match=problem):
        files.set_value(JIRA, key, value, confirm_loosening=True)
    assert (operator.directory / "jira.toml").read_text() == f'entity_id = "{JIRA}"\n'


def test_an_edit_that_switches_two_step_on_meets_the_lock_out_guard(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA, OFF)
    operator.has_ready_administrator = False
    files = operator.starts()
    for value in (True, None):
        with pytest.raises(LockOut):
            files.set_value(JIRA, "login.two_step", value, confirm_loosening=True)
    with pytest.raises(ConfigurationError):
        files.set_value(None, "login.two_step", "x", confirm_loosening=True)
    assert not files.policy_for(JIRA).two_step


def test_an_edit_can_undo_a_change_that_is_held(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA, OFF)
    operator.has_ready_administrator = False
    files = operator.starts()
    operator.writes_policy("jira.toml", JIRA, "login.two_step = true\nlogin.groups = ['a']")
    files.refresh()
    files.set_value(JIRA, "login.two_step", False, confirm_loosening=True)  # noqa: FBT003
    assert files.faults() == ()
    assert files.policy_for(JIRA).groups == ("a",)


def test_a_file_that_is_no_toml_is_not_edited(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA)
    files = operator.starts()
    operator.writes_policy("jira.toml", JIRA, "[login")
    with pytest.raises(ConfigurationError, match=r"jira\.toml:2"):
        files.set_value(JIRA, "login.access_symbols", 6, confirm_loosening=True)


def test_a_wrong_file_is_mended_by_hand_before_it_is_edited(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA)
    files = operator.starts()
    operator.writes_policy("jira.toml", JIRA, "login.groups = 3")
    with pytest.raises(ConfigurationError, match="not a list"):
        files.set_value(JIRA, "login.access_symbols", 6, confirm_loosening=True)


def test_an_edit_does_not_overwrite_what_another_hand_saved_meanwhile(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA)
    files = operator.starts()
    planned = files.plan_change(JIRA, "login.access_symbols", 6)
    operator.writes_policy("jira.toml", JIRA, 'login.groups = ["a"]')
    with pytest.raises(Conflict) as caught:
        files.apply(planned, confirm_loosening=True)
    assert caught.value.reason == "file_changed"
    assert "groups" in (operator.directory / "jira.toml").read_text()
    assert [p.name for p in operator.directory.iterdir()] == ["jira.toml"]


def test_an_edit_keeps_the_rights_of_a_file(operator: Operator) -> None:
    operator.writes_policy("jira.toml", JIRA)
    (operator.directory / "jira.toml").chmod(0o600)
    files = operator.starts()
    files.set_value(JIRA, "login.access_symbols", 6, confirm_loosening=True)
    assert (operator.directory / "jira.toml").stat().st_mode & 0o777 == 0o600


def test_many_hands_lose_no_edit(operator: Operator) -> None:
    files = operator.starts()
    keys = {"login.access_symbols": 6, "login.approval_seconds": 60, "assertion.encrypt": "always",
            "assertion.lifetime_seconds": 60, "login.step_max_age_seconds": 0}  # fmt: skip

    def edits(key: str, value: object) -> None:
        mine = operator.starts()
        while True:
            try:
                mine.set_value(JIRA, key, value, confirm_loosening=True)
            except Conflict:
                continue
            return

    hands = [threading.Thread(target=edits, args=item) for item in keys.items()]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    files.refresh()
    assert set(files.policy_for(JIRA).sources) == set(keys)
