"""The unit, the meters and the check of what was produced."""

import base64
import re
import shutil
import subprocess
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

import psutil
import xmlsec
from argon2 import PasswordHasher
from lxml import etree

if TYPE_CHECKING:
    from tests.bench.site import BenchSite


class CpuMeter:
    """CPU of a process and its children (user and system), and wall time, of a block."""

    def __init__(self, process_id: int) -> None:
        root = psutil.Process(process_id)
        self._processes = [root, *root.children(recursive=True)]

    def __enter__(self) -> Self:
        self._cpu, self._started = self._now(), time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.seconds = time.perf_counter() - self._started
        self.cpu_milliseconds = (self._now() - self._cpu) * 1000

    def _now(self) -> float:
        times = [process.cpu_times() for process in self._processes]
        return float(sum(t.user + t.system for t in times))


def rsa_milliseconds() -> float:
    """Return the time of one RSA-2048 signature on this machine now."""
    openssl = shutil.which("openssl")
    if openssl is None:
        raise SystemExit("openssl is missing: install it (Debian: apt-get install openssl)")
    told = subprocess.run(
        [openssl, "speed", "-seconds", "1", "rsa2048"], capture_output=True, text=True, check=True
    ).stdout
    line = re.search(r"^rsa\s+2048 bits?\s+([\d.]+)s", told, re.MULTILINE)
    if line is None:
        raise SystemExit(f"openssl speed says something else than expected:\n{told}")
    return float(line[1]) * 1000


def argon2_milliseconds() -> float:
    """Return the time of one check of a password with the product's default cost."""
    hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
    stored = hasher.hash("a password")
    started = time.process_time()
    for _ in range(10):
        hasher.verify(stored, "a password")
    return (time.process_time() - started) * 100


def verified(page: str, site: "BenchSite") -> None:
    """Check the signatures of the response in *page* with xmlsec and the IdP's certificate."""
    found = re.search(r'name="SAMLResponse" value="([^"]+)"', page)
    if found is None:
        raise SystemExit(f"no SAMLResponse in the page:\n{page[:2000]}")
    root = etree.fromstring(base64.b64decode(found[1]))
    xmlsec.tree.add_ids(root, ["ID"])
    signatures = root.findall(".//{http://www.w3.org/2000/09/xmldsig#}Signature")
    if not signatures:
        raise SystemExit("the response is not signed")
    for signature in signatures:
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(
            site.certificate, xmlsec.constants.KeyDataFormatCertPem
        )
        context.verify(signature)
