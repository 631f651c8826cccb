"""What sealing promises (shared/ports/secrets.py), on every adapter."""

import base64
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.adapters.aes_gcm import AesGcm
from shared.adapters.kms import KmsSecrets
from shared.adapters.secret_manager import SecretManagerSecrets
from shared.core.errors import Terminal, Transient
from shared.ports.secrets import Secrets
from tests.google.calls import Refused
from tests.google.kms.engine import KEY, KmsEngine, running_kms
from tests.google.secret_manager.engine import SECRET, SecretEngine, running_secret_manager

KEY_TEXT = base64.b64encode(bytes(range(32))).decode()
NEWER = base64.b64encode(bytes(range(32, 64))).decode()


@pytest.fixture
def engine() -> KmsEngine:
    """Give a key."""
    return KmsEngine()


@pytest.fixture(params=["aes-gcm", "kms", "secret-manager"])
def secrets(request: pytest.FixtureRequest, engine: KmsEngine) -> Iterator[Secrets]:
    """Give each adapter in turn."""
    if request.param == "kms":
        with running_kms(engine) as client:
            yield KmsSecrets(KEY, client)
    elif request.param == "secret-manager":
        with running_secret_manager(SecretEngine(KEY_TEXT)) as (session, host):
            yield SecretManagerSecrets(SECRET, session, host)
    else:
        yield AesGcm(KEY_TEXT)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plain=st.binary(max_size=500), place=st.text(max_size=50))
def test_what_was_sealed_opens_in_its_place(secrets: Secrets, plain: bytes, place: str) -> None:
    sealed = secrets.seal(plain, place=place)

    assert sealed.isascii()
    assert sealed.isprintable()
    assert secrets.open(sealed, place=place) == plain


def test_equal_texts_are_sealed_differently(secrets: Secrets) -> None:
    assert secrets.seal(b"key", place="a") != secrets.seal(b"key", place="a")


def test_another_place_does_not_open(secrets: Secrets) -> None:
    sealed = secrets.seal(b"key", place="suppliers/1")

    with pytest.raises(Terminal) as refused:
        secrets.open(sealed, place="suppliers/2")

    assert refused.value.code == "cannot_open"


def test_every_changed_character_is_noticed(secrets: Secrets) -> None:
    sealed = secrets.seal(b"k", place="a")

    for at in range(0, len(sealed) - 2, 7):
        changed = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
        with pytest.raises(Terminal):
            secrets.open(changed, place="a")


@pytest.mark.parametrize("text", ["", "v1", "kms1.", "kms1.!!", "v9.a.b", "\u00e9"])
def test_what_never_was_sealed_does_not_open(secrets: Secrets, text: str) -> None:
    with pytest.raises(Terminal) as refused:
        secrets.open(text, place="a")

    assert refused.value.code == "cannot_open"


def test_kms_opens_older_texts_after_a_rotation(engine: KmsEngine) -> None:
    with running_kms(engine) as client:
        secrets = KmsSecrets(KEY, client)
        older = secrets.seal(b"key", place="a")
        engine.rotate()

        opened = [secrets.open(text, place="a") for text in (older, secrets.seal(b"new", place="a"))]

    assert opened == [b"key", b"new"]


def test_kms_damage_is_noticed_and_trouble_passes(engine: KmsEngine) -> None:
    with running_kms(engine) as client:
        secrets = KmsSecrets(KEY, client)
        engine.trouble = [Refused("UNAVAILABLE", "later")]
        sealed = secrets.seal(b"key", place="a")
        engine.damages = True
        for call in (lambda: secrets.seal(b"key", place="a"), lambda: secrets.open(sealed, place="a")):
            with pytest.raises(Terminal, match="KMS"):
                call()
        engine.trouble = [Refused("PERMISSION_DENIED", "no")]
        with pytest.raises(Transient):
            secrets.open(sealed, place="a")


def test_texts_sealed_under_a_key_of_the_environment_open_once_the_key_is_in_secret_manager() -> None:
    older = AesGcm(KEY_TEXT).seal(b"key", place="a")

    with running_secret_manager(SecretEngine(KEY_TEXT)) as (session, host):
        assert SecretManagerSecrets(SECRET, session, host).open(older, place="a") == b"key"


def test_the_newest_enabled_version_seals_and_every_enabled_one_opens() -> None:
    engine = SecretEngine(KEY_TEXT, KEY_TEXT, NEWER)
    older, newer = AesGcm(KEY_TEXT).seal(b"old", place="a"), AesGcm(NEWER).seal(b"new", place="a")
    with running_secret_manager(engine) as (session, host):
        secrets = SecretManagerSecrets(SECRET, session, host)
        opened = [secrets.open(text, place="a") for text in (older, newer, secrets.seal(b"x", place="a"))]

        engine.disabled = {1, 2}
        with pytest.raises(Terminal) as refused:
            SecretManagerSecrets(SECRET, session, host).open(older, place="a")

    assert opened == [b"old", b"new", b"x"]
    assert refused.value.code == "cannot_open"
    assert AesGcm(NEWER).knows(secrets.seal(b"x", place="a"))


def test_an_instance_learns_of_a_newer_key_from_the_first_text_sealed_under_it() -> None:
    engine = SecretEngine(KEY_TEXT)
    with running_secret_manager(engine) as (session, host):
        early = SecretManagerSecrets(SECRET, session, host)
        early.seal(b"x", place="a")
        asked = len(engine.asked)
        early.open(early.seal(b"x", place="a"), place="a")
        assert len(engine.asked) == asked

        engine.add(NEWER)
        later = SecretManagerSecrets(SECRET, session, host).seal(b"new", place="a")

        assert early.open(later, place="a") == b"new"


def test_secret_managers_damage_is_noticed_and_its_trouble_passes() -> None:
    engine = SecretEngine(KEY_TEXT)
    with running_secret_manager(engine) as (session, host):
        engine.trouble = [Refused("UNAVAILABLE", "later")]
        SecretManagerSecrets(SECRET, session, host).seal(b"key", place="a")
        for code, error in {
            "PERMISSION_DENIED": Transient,
            "RESOURCE_EXHAUSTED": Transient,
            "NOT_FOUND": Terminal,
        }.items():
            engine.trouble = [Refused(code, "no")]
            with pytest.raises(error):
                SecretManagerSecrets(SECRET, session, host).seal(b"key", place="a")
        engine.damages = True
        with pytest.raises(Terminal, match="damaged"):
            SecretManagerSecrets(SECRET, session, host).seal(b"key", place="a")


@pytest.mark.parametrize(("values", "code"), [((), "secret_manager_empty"), (("no key",), "secret_manager_no_key")])
def test_a_secret_that_holds_no_key_is_said_to(values: tuple[str, ...], code: str) -> None:
    with running_secret_manager(SecretEngine(*values)) as (session, host), pytest.raises(Terminal) as refused:
        SecretManagerSecrets(SECRET, session, host).seal(b"key", place="a")

    assert refused.value.code == code
    assert "no key" not in str(refused.value.__cause__)
