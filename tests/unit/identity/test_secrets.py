"""T09, the sealing part: what is sealed for one place opens nowhere else, twice the same text never looks alike."""

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.adapters.aes_gcm import AesGcm, local_encryption_key
from shared.adapters.jose import Ed25519Private, Ed25519Public, local_keys, read_jwks
from shared.core.errors import Terminal

KEY = base64.b64encode(bytes(range(32))).decode()
PLACE = "supplier-credential:sup_1"


def test_what_is_sealed_can_be_opened_at_its_place() -> None:
    secrets = AesGcm(KEY)

    sealed = secrets.seal(b"api key", place=PLACE)

    assert secrets.open(sealed, place=PLACE) == b"api key"
    assert sealed.isascii()
    assert "api key" not in sealed


def test_the_same_text_is_sealed_differently_each_time() -> None:
    secrets = AesGcm(KEY)

    assert len({secrets.seal(b"same", place=PLACE) for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.replace("v1", "v2"),
        lambda s: s[:-3] + ("AAA" if s[-3:] != "AAA" else "BBB"),
        lambda s: s[:20],
        lambda s: s[:0],
        lambda s: "v1.." + s,
        lambda s: s + ".",
        lambda s: s.replace(s.split(".")[1], "0" * 12),
        lambda s: s[:-2] + "é",
    ],
)
def test_a_tampered_text_cannot_be_opened(change: object) -> None:
    secrets = AesGcm(KEY)
    assert callable(change)

    with pytest.raises(Terminal) as refusal:
        secrets.open(change(secrets.seal(b"api key", place=PLACE)), place=PLACE)

    assert refusal.value.code == "cannot_open"
    assert "api key" not in str(refusal.value)


def test_another_place_cannot_open_it() -> None:
    secrets = AesGcm(KEY)

    with pytest.raises(Terminal):
        secrets.open(secrets.seal(b"api key", place=PLACE), place="supplier-credential:sup_2")


def test_after_a_rotation_old_texts_still_open_and_new_ones_use_the_new_key() -> None:
    old, new_key = AesGcm(KEY), base64.b64encode(bytes(32)).decode()
    sealed = old.seal(b"api key", place=PLACE)

    rotated = AesGcm(new_key, KEY)

    assert rotated.open(sealed, place=PLACE) == b"api key"
    with pytest.raises(Terminal):
        old.open(rotated.seal(b"api key", place=PLACE), place=PLACE)


@pytest.mark.parametrize("text", [KEY, KEY.rstrip("="), bytes(range(32)).hex(), "x" * 32, f" {KEY}\n"])
def test_a_key_is_read_in_every_usual_form(text: str) -> None:
    assert AesGcm(text).open(AesGcm(text).seal(b"x", place=PLACE), place=PLACE) == b"x"


@pytest.mark.parametrize("text", ["", "short", "x" * 33, KEY[:-4], "é" * 32])
def test_another_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match="ENCRYPTION_KEY") as refusal:
        AesGcm(text)

    assert not text or text not in str(refusal.value)


def test_the_key_does_not_show() -> None:
    assert KEY not in repr(AesGcm(KEY))


def test_local_secrets_are_made_once_and_only_for_their_owner(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with ThreadPoolExecutor(8) as pool:
        encryption = set(pool.map(lambda _: local_encryption_key(folder), range(8)))
        signing = set(pool.map(lambda _: local_keys(folder).pem(), range(8)))

    assert (len(encryption), len(signing)) == (1, 1)
    assert AesGcm(encryption.pop()).seal(b"x", place=PLACE)
    files = sorted(folder.iterdir())
    assert [path.name for path in files] == ["auth-signing-key.pem", "encryption-key"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_a_key_survives_its_pem_and_its_jwks() -> None:
    key = Ed25519Private.generate()

    again = Ed25519Private.from_pem(key.pem())

    assert again.public.kid == key.public.kid
    assert [each.kid for each in read_jwks(f'{{"keys": [{_json(key)}]}}')] == [key.public.kid]
    assert key.public.jwk().keys() == {"kty", "crv", "x", "kid", "use", "alg"}


@pytest.mark.parametrize("pem", ["", "nonsense", "-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----"])
def test_a_bad_signing_key_is_refused_without_being_shown(pem: str) -> None:
    with pytest.raises(ValueError, match="Ed25519") as refusal:
        Ed25519Private.from_pem(pem)

    assert not pem or pem not in str(refusal.value)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"keys": 1}', '{"keys": [1]}', '{"keys": [{"kty":"OKP","crv":"Ed25519"}]}']
)
def test_a_bad_key_set_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_jwks(text)


def test_a_public_key_is_read_from_pem() -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = Ed25519Private.generate()
    pem = key._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    assert Ed25519Public.from_pem(pem).kid == key.public.kid
    with pytest.raises(ValueError):
        Ed25519Public.from_pem(key.pem())


def _json(key: Ed25519Private) -> str:
    import json

    return json.dumps(key.public.jwk())
