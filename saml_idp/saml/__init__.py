"""The wire: SAML messages to domain values and back. The only home of lxml, xmlsec and pysaml2.

Nothing here knows of stores, services or pages; nothing but ``issuer`` writes an assertion.
"""
