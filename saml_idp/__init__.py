"""A SAML 2.0 identity provider whose logins are two chained steps.

The road of a login, always downstairs and back up, no side doors:

1. decode the HTTP binding      ``saml.bindings``, called by ``web.sso``
2. validate the request         ``saml.requests``, called by ``services.begin_login``
3. decide by policy             ``domain.decision``
4. open the login               ``domain.attempt``, ``domain.chain``
5. password step                ``services.check_password``
6. approval step                ``services.ask_approval``, ``services.answer_approval``
7. prove the chain              ``domain.proof``, called by ``services.finish_login``
8. issue and sign               ``saml.issuer``
9. encode the binding           ``saml.bindings``, called by ``web.sso``

A login that finds a running session enters at the same door. There is no second
path to step 8.
"""

__version__ = "0.1.0"
