"""``saml-idp doctor``."""

from tests.unit.cli.installation import Installation


def test_a_sound_installation_passes_with_its_warnings(installation: Installation) -> None:
    said = installation.done("doctor")

    for check in ("settings", "versions", "keys", "signatures", "database", "clock", "policies"):
        assert check in said
    assert "failed" not in said


def test_what_failed_is_told_with_the_mend_and_ends_with_2(bare: Installation) -> None:
    result = bare.run("doctor")

    assert result.exit_code == 2
    assert "saml-idp keys new" in result.stdout
    assert "saml-idp database upgrade" in result.stdout


def test_json_tells_each_finding(installation: Installation) -> None:
    shown = installation.json("doctor")

    assert shown["ok"] is True
    findings = {finding["check"]: finding for finding in shown["findings"]}
    assert findings["database"]["standing"] == "ok"
    assert findings["administrators"]["mend"].startswith("run: saml-idp user add")
