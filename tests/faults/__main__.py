"""``python -m tests.faults 40``: kill a server at every point of a login, in 40 rounds.

On SQLite, for as long as it takes: about half a second a point.
"""

import sys
import tempfile
from pathlib import Path

from saml_idp.logs import configure_logs
from tests.faults.places import prepared
from tests.faults.test_killed import House, opened_house
from tests.faults.user import User


def main(rounds: int) -> None:
    """Kill *rounds* times at each point; end with an AssertionError at a broken promise."""
    configure_logs("error")
    with tempfile.TemporaryDirectory() as name:
        template = prepared(Path(name) / "template")
        with opened_house(template, Path(name) / "road") as house:
            points = _points_of_a_login(house)
        kills = 0
        for number in range(1, rounds + 1):
            with opened_house(template, Path(name) / f"round-{number}") as house:
                for point in points:
                    house.sign_in_with_a_kill(point)
                    kills += 1
            print(f"round {number}: {len(points)} points, {kills} kills, every promise kept")


def _points_of_a_login(house: House) -> list[str]:
    User(house.site, house.phone).sign_in()
    passed: list[str] = house.site.app.passed
    return passed


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
