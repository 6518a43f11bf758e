"""URNs and element names, each with its section of the standard. No behaviour."""

from typing import Final

# --- namespaces -----------------------------------------------------------------------
PROTOCOL: Final = "urn:oasis:names:tc:SAML:2.0:protocol"  # Core 3
ASSERTION: Final = "urn:oasis:names:tc:SAML:2.0:assertion"  # Core 2
METADATA: Final = "urn:oasis:names:tc:SAML:2.0:metadata"  # Metadata 2
DS: Final = "http://www.w3.org/2000/09/xmldsig#"  # XML Signature
XENC: Final = "http://www.w3.org/2001/04/xmlenc#"  # XML Encryption 1.0
XENC11: Final = "http://www.w3.org/2009/xmlenc11#"  # XML Encryption 1.1
MDUI: Final = "urn:oasis:names:tc:SAML:metadata:ui"  # Metadata UI 2
ALG: Final = "urn:oasis:names:tc:SAML:metadata:algsupport"  # Algorithm support 2
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
XS: Final = "http://www.w3.org/2001/XMLSchema"
XML: Final = "http://www.w3.org/XML/1998/namespace"
EC: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"  # Exclusive c14n; also its algorithm URI

VERSION: Final = "2.0"  # Core 3.2.1


def protocol(name: str) -> str:
    """Return the qualified name of an element of Core 3."""
    return f"{{{PROTOCOL}}}{name}"


def assertion(name: str) -> str:
    """Return the qualified name of an element of Core 2."""
    return f"{{{ASSERTION}}}{name}"


def metadata(name: str) -> str:
    """Return the qualified name of an element of Metadata 2."""
    return f"{{{METADATA}}}{name}"


def ds(name: str) -> str:
    """Return the qualified name of an element of XML Signature."""
    return f"{{{DS}}}{name}"


def xenc(name: str) -> str:
    """Return the qualified name of an element of XML Encryption."""
    return f"{{{XENC}}}{name}"


# --- name identifier formats, Core 8.3 ------------------------------------------------
_FORMAT_11: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:"
_FORMAT_20: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
FORMAT_UNSPECIFIED: Final = _FORMAT_11 + "unspecified"  # Core 8.3.1
FORMAT_EMAIL: Final = _FORMAT_11 + "emailAddress"  # Core 8.3.2
FORMAT_ENTITY: Final = _FORMAT_20 + "entity"  # Core 8.3.6
FORMAT_PERSISTENT: Final = _FORMAT_20 + "persistent"  # Core 8.3.7
FORMAT_TRANSIENT: Final = _FORMAT_20 + "transient"  # Core 8.3.8

# --- attribute name formats, Core 8.2 -------------------------------------------------
ATTRIBUTE_URI: Final = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
ATTRIBUTE_BASIC: Final = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"

# --- status codes, Core 3.2.2.2 -------------------------------------------------------
_STATUS: Final = "urn:oasis:names:tc:SAML:2.0:status:"
STATUS_SUCCESS: Final = _STATUS + "Success"
STATUS_REQUESTER: Final = _STATUS + "Requester"
STATUS_RESPONDER: Final = _STATUS + "Responder"
STATUS_AUTHN_FAILED: Final = _STATUS + "AuthnFailed"
STATUS_INVALID_NAME_ID_POLICY: Final = _STATUS + "InvalidNameIDPolicy"
STATUS_NO_AUTHN_CONTEXT: Final = _STATUS + "NoAuthnContext"
STATUS_NO_AVAILABLE_IDP: Final = _STATUS + "NoAvailableIDP"
STATUS_NO_PASSIVE: Final = _STATUS + "NoPassive"
STATUS_REQUEST_DENIED: Final = _STATUS + "RequestDenied"
STATUS_REQUEST_UNSUPPORTED: Final = _STATUS + "RequestUnsupported"
STATUS_UNKNOWN_PRINCIPAL: Final = _STATUS + "UnknownPrincipal"

# --- bindings and confirmation --------------------------------------------------------
DEFLATE: Final = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"  # Bindings 3.4.4.1
BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"  # Profiles 3.3

# --- algorithms (XML Signature 6, RFC 6931) -------------------------------------------
_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
ENVELOPED: Final = DS + "enveloped-signature"
EXC_C14N: Final = EC
SHA256: Final = XENC + "sha256"
SHA384: Final = _MORE + "sha384"
SHA512: Final = XENC + "sha512"
RSA_SHA256: Final = _MORE + "rsa-sha256"
RSA_SHA384: Final = _MORE + "rsa-sha384"
RSA_SHA512: Final = _MORE + "rsa-sha512"
ECDSA_SHA256: Final = _MORE + "ecdsa-sha256"
ECDSA_SHA384: Final = _MORE + "ecdsa-sha384"
ECDSA_SHA512: Final = _MORE + "ecdsa-sha512"

# --- encryption (XML Encryption 1.1, section 5) ---------------------------------------
AES128_GCM: Final = XENC11 + "aes128-gcm"
AES256_GCM: Final = XENC11 + "aes256-gcm"
RSA_OAEP_MGF1P: Final = XENC + "rsa-oaep-mgf1p"
RSA_1_5: Final = XENC + "rsa-1_5"  # only to know it by
RSA_OAEP: Final = XENC11 + "rsa-oaep"
SHA1_DIGEST: Final = DS + "sha1"
ENCRYPTED_ELEMENT: Final = XENC + "Element"
