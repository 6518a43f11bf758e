"""X27: push, mail or webhook is down, or hangs: no login notices."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from saml_idp.adapters.notifier import BackgroundNotifier
from saml_idp.device_sdk.client import Result
from saml_idp.domain.ids import ApprovalIdentity
from saml_idp.domain.person import Person
from saml_idp.ports.people import Notifier
from saml_idp.web.app import make_application
from tests.build import a_person
from tests.faults.places import Prepared
from tests.faults.user import assertions_in, waiting_for_the_finish
from tests.flows.site import Phone, Site


class Failing:
    """Every notice ends in an error that no adapter should raise."""

    def wake(self, identity: ApprovalIdentity) -> None:
        raise ZeroDivisionError

    def tell(self, person: Person, message: str, **values: str) -> None:
        raise ZeroDivisionError


class Hanging:
    """No notice ends before ``over`` is set."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.begun = 0

    def wake(self, identity: ApprovalIdentity) -> None:
        self.begun += 1
        self.over.wait(60)

    def tell(self, person: Person, message: str, **values: str) -> None:
        self.wake(ApprovalIdentity(""))


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    made = Hanging()
    yield made
    made.over.set()


@pytest.fixture
def served(on_sqlite: Prepared, tmp_path: Path) -> Iterator[tuple[Site, Phone]]:
    with on_sqlite.served(tmp_path / "site") as found:
        yield found


def _notified_by(site: Site, notifier: Notifier) -> None:
    """Put *notifier* where the one of the house was, behind the same guard."""
    guarded = BackgroundNotifier(notifier)
    site.idp = replace(
        site.idp,
        ask_approval=replace(site.idp.ask_approval, notifier=guarded),
        answer_approval=replace(site.idp.answer_approval, notifier=guarded),
        assign_identity=replace(site.idp.assign_identity, notifier=guarded),
        enrol_device=replace(site.idp.enrol_device, notifier=guarded),
    )
    site.app = make_application(site.idp)


def _every_road_is_open(site: Site, phone: Phone) -> None:
    browser = waiting_for_the_finish(site, phone)
    assert len(assertions_in(browser.submit("finish"))) == 1
    site.clock.advance(minutes=20)
    second = site.phone()
    browser = site.browser()
    browser.start()
    browser.sign_in()
    assert second.answer(browser.symbols) is Result.GRANTED
    assert len(assertions_in(browser.submit("finish"))) == 1


def test_a_notifier_that_fails_touches_no_login_and_no_enrolment(
    served: tuple[Site, Phone],
) -> None:
    site, phone = served
    _notified_by(site, Failing())
    _every_road_is_open(site, phone)


def test_a_notifier_that_hangs_touches_no_login_and_no_enrolment(
    served: tuple[Site, Phone], hanging: Hanging
) -> None:
    site, phone = served
    _notified_by(site, hanging)
    _every_road_is_open(site, phone)


def test_the_house_guards_its_notifier(served: tuple[Site, Phone]) -> None:
    idp = served[0].idp
    verbs = (
        idp.ask_approval,
        idp.answer_approval,
        idp.people,
        idp.assign_identity,
        idp.enrol_device,
        idp.retire_device,
    )
    assert {type(verb.notifier) for verb in verbs} == {BackgroundNotifier}


def test_notices_that_nobody_takes_do_not_pile_up(hanging: Hanging) -> None:
    notifier = BackgroundNotifier(hanging)
    for _ in range(1000):
        notifier.wake(ApprovalIdentity("alice"))
    hanging.over.set()
    notifier._threads.shutdown()
    assert hanging.begun == 64


def test_a_notice_arrives_whole() -> None:
    told: list[object] = []

    class Keeping:
        def wake(self, identity: ApprovalIdentity) -> None:
            told.append(identity)

        def tell(self, person: Person, message: str, **values: str) -> None:
            told.append((person, message, values))

    notifier = BackgroundNotifier(Keeping())
    notifier.tell(a_person(), "device_enrolled", device="phone")
    notifier.wake(ApprovalIdentity("alice"))
    notifier._threads.shutdown()
    assert sorted(told, key=str) == sorted(
        [(a_person(), "device_enrolled", {"device": "phone"}), ApprovalIdentity("alice")], key=str
    )
