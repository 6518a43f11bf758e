"""Single parts of the house, for commands that look at files and need no database.

The rule: nothing is changed, and nothing recorded.
"""

from saml_idp.adapters.policy_files import PolicyFiles
from saml_idp.adapters.provider_files import ProviderFiles
from saml_idp.adapters.system import SystemClock
from saml_idp.crypto.keys import ASSERTION_ACTIVE, load_named_key
from saml_idp.settings import Settings


def read_policies(settings: Settings) -> PolicyFiles:
    """Return the policies as the files stand, to look at."""
    return PolicyFiles(settings.policies_dir, lock_out_guard=lambda: False, quiet=True)


def read_providers(settings: Settings) -> ProviderFiles:
    """Return the services as the files stand, to look at."""
    return ProviderFiles(
        settings.metadata_dir,
        allow_http_loopback=settings.development,
        clock=SystemClock(),
        quiet=True,
    )


def signing_certificate(settings: Settings) -> bytes:
    """Return the certificate that services verify assertions with: X.509 DER."""
    return load_named_key(settings.keys_dir, ASSERTION_ACTIVE).certificate.der
