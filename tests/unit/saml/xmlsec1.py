"""The commands of xmlsec1 that pysaml2 runs as a provider, on python-xmlsec.

So that the tests need no system package. Called as xmlsec1 is: ``--verify`` or ``--decrypt``.
"""

import sys
from pathlib import Path

import xmlsec
from lxml import etree
from xmlsec import constants


def option(name: str) -> str:
    return sys.argv[sys.argv.index(name) + 1]


def key() -> xmlsec.Key:
    for name, form in (
        ("--pubkey-cert-pem", constants.KeyDataFormatCertPem),
        ("--privkey-pem", constants.KeyDataFormatPem),
    ):
        if name in sys.argv:
            return xmlsec.Key.from_file(option(name), form)
    sys.exit("no key")


def verify(root: etree._Element) -> None:
    node = root
    if "--node-id" in sys.argv:
        (node,) = root.xpath("//*[@ID=$id]", id=option("--node-id"))
    context = xmlsec.SignatureContext()
    context.key = key()
    context.register_id(node, "ID")
    context.verify(node.find("{http://www.w3.org/2000/09/xmldsig#}Signature"))
    sys.stderr.write("OK\n")


def decrypt(root: etree._Element) -> None:
    manager = xmlsec.KeysManager()
    manager.add_key(key())
    node = root.find(".//{http://www.w3.org/2001/04/xmlenc#}EncryptedData")
    xmlsec.EncryptionContext(manager).decrypt(node)
    Path(option("--output")).write_bytes(etree.tostring(root))


if "--version" in sys.argv:
    sys.stdout.write("xmlsec1 1.2.41 (openssl)\n")
elif "--list-transforms" in sys.argv:
    sys.stdout.write('Registered transforms:\n"sha256","rsa-sha256"\n')
else:
    document = etree.parse(sys.argv[-1]).getroot()
    try:
        (verify if "--verify" in sys.argv else decrypt)(document)
    except xmlsec.Error as error:
        sys.exit(f"FAIL\n{error}")
