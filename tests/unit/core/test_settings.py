"""What the environment must hold before a function starts in the cloud."""

import pytest

from shared.core.settings import Settings, SettingsError

IN_CLOUD = {"K_SERVICE": "sales", "AUTH_PUBLIC_KEYS": '{"keys": []}'}


def problems(**changed: str) -> list[str]:
    """Return what is wrong with the cloud's environment after some changes."""
    try:
        Settings.from_env({**IN_CLOUD, **changed})
    except SettingsError as refused:
        return list(refused.problems)
    return []


def test_an_environment_that_is_fit_for_the_cloud_is_taken() -> None:
    assert problems() == []
    assert Settings.from_env(IN_CLOUD).in_cloud


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"AUTH_PUBLIC_KEYS": ""}, "No key checks access tokens"),
        ({"ENVIRONMENT": "local"}, "ENVIRONMENT is local"),
        ({"SEALING_KEYS": "encryption-key"}, "SEALING_KEYS cannot be used: use a name such as"),
        ({"SEALING_KEYS": "projects/p/secrets/s", "KMS_KEY": "k"}, "KMS_KEY exclude each other"),
        ({"OPEN_READ": "true"}, "OPEN_READ is for the local run only"),
        ({"DEMO_PASSWORD": "another-password"}, "DEMO_PASSWORD is for the local run only"),
        ({"SHIPBOB_API_TOKEN": "demo-stord-token"}, "holds a secret of the local simulators"),
        ({"FETCH_ALLOW_HOSTS": "127.0.0.1:8081"}, "opens a private address"),
        ({"BASIC_AUTH_USERNAME": "ops"}, "BASIC_AUTH_PASSWORD"),
    ],
)
def test_what_is_dangerous_in_the_cloud_is_named(changed: dict[str, str], said: str) -> None:
    [problem] = problems(**changed)

    assert said in problem


def test_everything_wrong_is_named_at_once() -> None:
    assert len(problems(AUTH_PUBLIC_KEYS="", ENVIRONMENT="local", OPEN_READ="true")) == 3


@pytest.mark.parametrize(
    "keys",
    [
        {"JWT_SECRET": "s" * 32, "EXTERNAL_ISSUER": "https://issuer.example"},
        {"EXTERNAL_JWKS_URL": "https://issuer.example/keys", "EXTERNAL_ISSUER": "https://issuer.example"},
    ],
)
def test_tokens_of_another_issuer_alone_are_enough(keys: dict[str, str]) -> None:
    assert problems(AUTH_PUBLIC_KEYS="", **keys) == []


def test_settings_show_no_secret() -> None:
    shown = repr(Settings.from_env({**IN_CLOUD, "JWT_SECRET": "s" * 40, "EXTERNAL_ISSUER": "https://issuer.example"}))

    assert "s" * 40 not in shown
