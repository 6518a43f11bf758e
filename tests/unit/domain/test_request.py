"""What the seal of a login covers of its request."""

from dataclasses import fields

from saml_idp.domain.request import AuthnRequest, request_values
from tests.build import a_request


def test_the_seal_covers_every_field_of_a_request() -> None:
    assert set(request_values(a_request())) == {field.name for field in fields(AuthnRequest)}
