"""What sealing promises (shared/ports/secrets.py), on both adapters."""

import base64
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.adapters.aes_gcm import AesGcm
from shared.adapters.kms import KmsSecrets
from shared.core.errors import Terminal, Transient
from shared.ports.secrets import Secrets
from tests.google.calls import Refused
from tests.google.kms.engine import KEY, KmsEngine, running_kms

KEY_TEXT = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def engine() -> KmsEngine:
    """Give a key."""
    return KmsEngine()


@pytest.fixture(params=["aes-gcm", "kms"])
def secrets(request: pytest.FixtureRequest, engine: KmsEngine) -> Iterator[Secrets]:
    """Give each adapter in turn."""
    if request.param == "aes-gcm":
        yield AesGcm(KEY_TEXT)
        return
    with running_kms(engine) as client:
        yield KmsSecrets(KEY, client)


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
