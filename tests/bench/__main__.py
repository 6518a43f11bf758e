"""``python -m tests.bench``: the table of speed, with this machine's RSA signature as unit."""

import argparse
import platform
import statistics
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.measure import CpuMeter, argon2_milliseconds, rsa_milliseconds, verified
from tests.bench.site import BenchSite

_CONSOLE = Console()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: values of each run, in the unit named."""

    workload: str
    unit: str
    values: list[float]
    goal: str

    def cells(self) -> tuple[str, ...]:
        """Return the line as text: median, spread, goal."""
        median = statistics.median(self.values)
        spread = f"{min(self.values):.2f}–{max(self.values):.2f}"
        return self.workload, self.unit, f"{median:.2f}", spread, str(len(self.values)), self.goal


def sso_rows(site: BenchSite, *, runs: int, requests: int) -> list[Row]:
    """Measure SSO with a live session: CPU of the server in RSA-2048 signatures, and rate."""
    rows = []
    for sign, goal in (("assertion", "≤ 4.5"), ("both", "≤ 5.5")):
        site.sign(sign)
        browser = site.signed_in_browser()
        site.sso(browser, 200)  # warm
        ratios, rates = [], []
        for _ in range(runs):
            unit = rsa_milliseconds()
            with CpuMeter(site.process_id) as meter:
                bodies = site.sso(browser, requests)
            ratios.append(meter.cpu_milliseconds / requests / unit)
            rates.append(requests / meter.seconds)
            for body in bodies[:: max(1, requests // 20)]:
                verified(body, site)
        rows.append(
            Row(f"SSO with a live session, {sign} signed", "RSA-2048 signatures", ratios, goal)
        )
        rows.append(Row("  the same, one connection", "requests/s", rates, "–"))
    return rows


def concurrent_row(site: BenchSite, *, runs: int, requests: int) -> Row:
    """Measure SSO at 8 connections."""
    browsers = [site.signed_in_browser()] * 8
    rates = []
    for _ in range(runs):
        with CpuMeter(site.process_id) as meter, ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda b: site.sso(b, requests // 8), browsers))
        rates.append(requests / meter.seconds)
    return Row("SSO at 8 connections (client on the same cores)", "requests/s", rates, "–")


def login_rows(site: BenchSite, *, runs: int, logins: int) -> list[Row]:
    """Measure whole logins: password, approval by the software device, assertion."""
    rates, shares = [], []
    for run in range(runs):
        with CpuMeter(site.process_id) as meter, ThreadPoolExecutor(4) as pool:
            numbers = range(run * logins, (run + 1) * logins)
            answers = list(pool.map(site.whole_login, numbers))
        for answer in answers[::10]:
            verified(answer, site)
        rates.append(logins / meter.seconds)
        shares.append(100 * argon2_milliseconds() * logins / meter.cpu_milliseconds)
    return [
        Row("full login (4 browsers, devices on the same cores)", "logins/s", rates, "≥ 30"),
        Row("  of the server's CPU, Argon2id", "%", shares, "≥ 85"),
    ]


def main() -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--logins", type=int, default=80)
    parser.add_argument(
        "--database", default="", help="URL; SQLite in a temporary folder if left out"
    )
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    rsa = [rsa_milliseconds() for _ in range(3)]
    with tempfile.TemporaryDirectory(prefix="saml-idp-bench-") as folder:
        site = BenchSite.started(
            Path(folder),
            database_url=args.database,
            workers=args.workers,
            logins=args.logins * args.runs,
        )
        try:
            rows = sso_rows(site, runs=args.runs, requests=args.requests)
            rows.append(concurrent_row(site, runs=args.runs, requests=args.requests))
            rows += login_rows(site, runs=max(2, args.runs - 2), logins=args.logins)
        finally:
            site.stop()
    table = Table(title="saml-idp bench", title_justify="left")
    for heading in ("workload", "unit", "median", "spread", "runs", "goal"):
        table.add_column(heading)
    for row in rows:
        table.add_row(*row.cells())
    _CONSOLE.print(table)
    packages = " ".join(f"{p} {version(p)}" for p in ("lxml", "xmlsec", "cryptography", "granian"))
    _CONSOLE.print(
        f"unit: one RSA-2048 signature by openssl speed = {statistics.median(rsa):.3f} ms\n"
        f"command: python -m tests.bench --runs {args.runs} --requests {args.requests}; "
        f"workers {args.workers}; database {args.database.split(':')[0] or 'sqlite'}\n"
        f"Python {platform.python_version()}, {packages}; responses sampled and verified by xmlsec"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
