"""The device's side of the device protocol (docs/device-protocol.md), to embed in any program.

Stands alone: the standard library and ``cryptography``, nothing else of this product. It prints
nothing, asks nobody and keeps no state of its own::

    from saml_idp.device_sdk.client import DeviceClient
    from saml_idp.device_sdk.discovery import discover
    from saml_idp.device_sdk.keys import DeviceKey
    from saml_idp.device_sdk.links import parse_enrolment_link
    from saml_idp.device_sdk.messages import Verdict

    link = parse_enrolment_link("https://idp.example.org/device/#enrol=…")
    client = DeviceClient(link.base_url, discover(link.base_url).entity_id)
    enrolled = client.enrol(link.code, key=DeviceKey.generate(), device_name="build server",
                            password=password).enrolled
    for approval in client.approvals(enrolled).approvals:
        client.answer(enrolled, approval, Verdict.APPROVE, symbols="K3QA")

``state`` keeps enrolled IDs in a folder, for programs that have no key store of their own.
"""
