"""`make deploy` refuses what cannot work before it starts, hands secrets over by name, and asks every function afterwards."""

from pathlib import Path

import pytest

from local import signing_keys
from local.deploy import main, problems, secret_values, smoke
from shared.adapters.jose.keys import Ed25519Private, read_jwks
from shared.core.clock import ManualClock

ADDRESSES = {"meta": "https://meta.example", "oos": "https://oos.example"}


def test_an_environment_that_nobody_filled_in_is_refused(tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "dev.tfvars").write_text('project = "change-me"')
    (tmp_path / "env" / "dev.backend").write_text('bucket = "ours-state"')

    assert problems("dev", tmp_path)[0] == "infra/env/dev.tfvars still says change-me: put your project's names there"


def test_the_committed_environments_are_to_be_filled_in() -> None:
    assert main(["deploy", "dev"]) == 2


@pytest.mark.parametrize("arguments", [[], ["deploy"], ["deploy", "prod"], ["undeploy", "dev"]])
def test_nonsense_is_refused(arguments: list[str]) -> None:
    assert main(arguments) == 2


def test_secrets_are_found_under_the_names_that_functions_read_them_by() -> None:
    given = {"STORD_API_TOKEN": "one", "SHIPBOB_API_TOKEN": "", "HOME": "/root", "UNKNOWN_TOKEN": "two"}

    assert secret_values(given) == {"stord-api-token": "one"}


def test_a_smoke_test_asks_again_until_a_function_is_there() -> None:
    asked: list[str] = []

    def ask(url: str) -> int:
        asked.append(url)
        return {"https://meta.example/ready": 200}.get(url, 404) if len(asked) > 2 else 503

    assert smoke(ADDRESSES, ManualClock(), ask) == []
    assert asked == ["https://meta.example/ready"] * 3 + ["https://oos.example/no-such-path"]


def test_a_smoke_test_names_who_does_not_answer() -> None:
    wrong = smoke(ADDRESSES, ManualClock(), lambda url: 500 if "oos" in url else 200)

    assert wrong == ["oos: https://oos.example/no-such-path answered 500, not 404"]


def test_the_printed_public_keys_check_what_the_private_keys_signed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = [Ed25519Private.generate(), Ed25519Private.generate()]
    files = [tmp_path / "new.pem", tmp_path / "old.pem"]
    for key, path in zip(keys, files, strict=True):
        path.write_text(key.pem())

    assert signing_keys.main([str(path) for path in files]) == 0

    printed = capsys.readouterr().out
    tokens = [key.sign({"sub": "u1"}, typ="at+jwt") for key in keys]
    read = read_jwks(printed)
    assert [key.verifies(token) for key, token in zip(read, tokens, strict=True)] == [True, True]
    assert read[0].verifies(tokens[1]) is False
    assert '"d"' not in printed
