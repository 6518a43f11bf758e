"""``python -m saml_idp``: the command line."""

import sys

from saml_idp.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
