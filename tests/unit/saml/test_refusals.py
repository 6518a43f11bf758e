"""Error Responses: a status and nothing else."""

from typing import Any

import pytest
from lxml import etree

from saml_idp.domain.decision import RefusalReason
from saml_idp.domain.errors import RequestRejected
from saml_idp.saml import names
from saml_idp.saml.bindings import encode_post_form
from saml_idp.saml.refusals import RefusalResponse, Status, status_for, write_refusal
from saml_idp.saml.xml import parse
from tests.build import ACS, IDP, NOW
from tests.unit.saml.proofs import an_accepted_request, counted_ids


def refuse(status: Status = Status.AUTHN_FAILED, **changes: Any) -> RefusalResponse:
    return write_refusal(
        an_accepted_request(**changes),
        issuer=IDP,
        status=status,
        issued_at=NOW,
        new_id=counted_ids(),
    )


@pytest.mark.parametrize("status", list(Status))
def test_a14_a_refusal_is_unsigned_and_holds_a_status_alone(
    status: Status, protocol_schema: etree.XMLSchema
) -> None:
    refusal = refuse(status)
    root = parse(refusal.xml)
    assert [child.tag for child in root] == [names.assertion("Issuer"), names.protocol("Status")]
    assert dict(root.attrib) == {
        "ID": "_new1",
        "Version": "2.0",
        "IssueInstant": "2026-05-04T12:00:00Z",
        "Destination": ACS,
        "InResponseTo": "_request1",
    }
    assert b"Signature" not in refusal.xml
    protocol_schema.assertValid(etree.fromstring(refusal.xml))
    codes = [code.get("Value") for code in root.iter(names.protocol("StatusCode"))]
    requesters = {Status.INVALID_NAME_ID_POLICY, Status.REQUEST_UNSUPPORTED}
    blamed = names.STATUS_REQUESTER if status in requesters else names.STATUS_RESPONDER
    assert codes == [blamed, str(status)]


def test_a_refusal_goes_back_with_the_relay_state() -> None:
    form = encode_post_form(refuse())
    assert form.action == ACS
    assert dict(form.fields)["RelayState"] == "state"
    assert refuse().response_id == "_new1"


def test_an_unsolicited_login_is_refused_without_naming_a_request() -> None:
    refusal = refuse(request_id=None, relay_state=None)
    assert b"InResponseTo" not in refusal.xml
    assert refusal.relay_state is None


@pytest.mark.parametrize("location", ["javascript:alert(1)", "http://sp.example.org/acs", ""])
def test_a03_a_refusal_is_not_sent_to_an_unsafe_address(location: str) -> None:
    with pytest.raises(RequestRejected):
        refuse(reply_to=location)


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (RefusalReason.NO_AUTHN_CONTEXT, Status.NO_AUTHN_CONTEXT),
        (RefusalReason.NO_PASSIVE, Status.NO_PASSIVE),
        (RefusalReason.INVALID_NAME_ID_POLICY, Status.INVALID_NAME_ID_POLICY),
        (RefusalReason.UNKNOWN_PRINCIPAL, Status.UNKNOWN_PRINCIPAL),
        (RefusalReason.REQUEST_UNSUPPORTED, Status.REQUEST_UNSUPPORTED),
        (RefusalReason.NOT_IN_GROUPS, Status.REQUEST_DENIED),
        (RefusalReason.POLICY_CHANGED, Status.REQUEST_DENIED),
        (RefusalReason.POLICY_FAULT, Status.REQUEST_DENIED),
        (RefusalReason.CANNOT_ENCRYPT, Status.REQUEST_DENIED),
    ],
)
def test_a_reason_has_its_status(reason: str, status: Status) -> None:
    assert status_for(reason) is status


def test_a14_whatever_concerns_the_user_is_told_as_failed_and_no_more() -> None:
    told = {
        RefusalReason.NO_AUTHN_CONTEXT, RefusalReason.NO_PASSIVE, RefusalReason.UNKNOWN_PRINCIPAL,
        RefusalReason.INVALID_NAME_ID_POLICY, RefusalReason.REQUEST_UNSUPPORTED,
        RefusalReason.NOT_IN_GROUPS, RefusalReason.POLICY_CHANGED, RefusalReason.POLICY_FAULT,
        RefusalReason.CANNOT_ENCRYPT,
    }  # fmt: skip
    rest = set(RefusalReason) - told
    assert {status_for(reason) for reason in rest} == {Status.AUTHN_FAILED}
    assert status_for("something new") is Status.AUTHN_FAILED
