"""The files port: one suite over the folder and Cloud Storage, and reading from s3:// as S3 answers (moto)."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.files import FilesByScheme, FolderFiles, GoogleFiles, S3Files
from shared.core.clock import ManualClock
from shared.core.errors import Terminal, Transient
from shared.ports.files import Files
from tests.contract.files.storage import Storage, storage

LARGE = bytes(range(256)) * 10_000


@pytest.fixture
def cloud() -> Iterator[Storage]:
    """Serve a Cloud Storage."""
    with storage() as made:
        yield made


@pytest.fixture(params=["folder", "google"])
def files(request: pytest.FixtureRequest, tmp_path: Path, cloud: Storage) -> Files:
    """Return each place that files are put into."""
    if request.param == "folder":
        return FolderFiles(tmp_path / "files")
    return GoogleFiles("gs://uploads/in", endpoint=cloud.endpoint)


def test_what_was_put_is_read_back_in_pieces(files: Files) -> None:
    address = files.put("abc", iter([LARGE[:1000], LARGE[1000:]]))

    pieces = list(files.open(address))

    assert b"".join(pieces) == LARGE
    assert max(map(len, pieces)) <= 2**20


def test_putting_again_replaces(files: Files) -> None:
    first = files.put("abc", [b"one"])

    second = files.put("abc", [b"two"])

    assert first == second
    assert b"".join(files.open(second)) == b"two"


def test_what_was_deleted_is_not_found_and_deleting_again_is_fine(files: Files) -> None:
    address = files.put("abc", [b"one"])

    files.delete(address)
    files.delete(address)

    with pytest.raises(Terminal, match="no file"):
        list(files.open(address))


@pytest.mark.parametrize("name", ["../up", "a/b", "", "A", ".hidden", "a..b"])
def test_names_that_could_lead_elsewhere_are_refused(files: Files, name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        files.put(name, [b"x"])


def test_a_folder_opens_nothing_outside_of_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    files = FolderFiles(tmp_path / "files")

    for address in ("local://../secret", "local:///etc/passwd", "local://..%2fsecret"):
        with pytest.raises(Terminal, match="no file"):
            list(files.open(address))


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (404, Terminal, "not_found"),
        (403, Terminal, "forbidden"),
        (401, Terminal, "forbidden"),
        (400, Terminal, "files_refused"),
        (429, Transient, "files_unavailable"),
        (503, Transient, "files_unavailable"),
    ],
)
def test_answers_of_cloud_storage_are_told_apart(cloud: Storage, status: int, kind: type[Exception], code: str) -> None:
    clock = ManualClock()
    cloud.statuses = [status] * 1000

    with pytest.raises(kind) as failure:
        list(GoogleFiles(None, clock, endpoint=cloud.endpoint).open("gs://some-bucket/feeds/a b.csv"))

    assert getattr(failure.value, "code", None) == code
    assert (clock.slept == []) == (kind is Terminal)
    assert clock.monotonic() <= 10


def test_passing_trouble_of_cloud_storage_is_waited_out(cloud: Storage) -> None:
    clock = ManualClock()
    files = GoogleFiles("gs://uploads/in", clock, endpoint=cloud.endpoint)

    cloud.statuses = [503]
    address = files.put("abc", [b"one"])
    cloud.statuses = [429]
    found = b"".join(files.open(address))
    cloud.statuses = [500]
    files.delete(address)

    assert found == b"one"
    assert cloud.objects == {}
    assert len(clock.slept) == 3


def test_a_cloud_storage_that_is_not_there_is_transient_and_waits_are_bounded() -> None:
    clock = ManualClock()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and never listening: connections are refused
        files = GoogleFiles("gs://b", clock, endpoint=f"http://127.0.0.1:{unused.getsockname()[1]}")

        with pytest.raises(Transient, match="does not answer"):
            files.put("abc", [b"x"])

    assert 0 < clock.monotonic() <= 10


def test_a_download_that_ends_early_is_trouble(cloud: Storage) -> None:
    cloud.objects["some-bucket", "feeds/a b.csv"] = LARGE
    cloud.cut = True

    with pytest.raises(Transient):
        list(GoogleFiles(None, endpoint=cloud.endpoint).open("gs://some-bucket/feeds/a b.csv"))


def test_names_with_slashes_and_blanks_are_one_object(cloud: Storage) -> None:
    cloud.objects["some-bucket", "feeds/a b?.csv"] = b"x"

    assert list(GoogleFiles(None, endpoint=cloud.endpoint).open("gs://some-bucket/feeds/a b?.csv")) == [b"x"]


def test_without_a_bucket_nothing_is_put(cloud: Storage) -> None:
    with pytest.raises(Terminal, match="no bucket"):
        GoogleFiles(None, endpoint=cloud.endpoint).put("a", [b"x"])


def test_schemes_lead_to_their_readers(tmp_path: Path, cloud: Storage) -> None:
    cloud.objects["some-bucket", "a.csv"] = b"cloud"
    folder = FolderFiles(tmp_path)
    files = FilesByScheme(folder, {"local": folder, "gs": GoogleFiles(None, endpoint=cloud.endpoint)})

    kept = files.put("a", [b"folder"])

    assert (list(files.open(kept)), list(files.open("gs://some-bucket/a.csv"))) == ([b"folder"], [b"cloud"])
    with pytest.raises(Terminal, match="not read"):
        files.open("ftp://some-bucket/a.csv")


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Answer as S3."""
    boto3 = pytest.importorskip("boto3")
    moto = pytest.importorskip("moto")
    for name, value in (
        ("ACCESS_KEY_ID", "testing"),
        ("SECRET_ACCESS_KEY", "testing"),
        ("DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(f"AWS_{name}", value)
    with moto.mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="feeds-bucket")
        yield client


def test_s3_objects_are_read_in_pieces(s3: Any) -> None:
    s3.put_object(Bucket="feeds-bucket", Key="in/feed one.csv", Body=LARGE)

    pieces = list(S3Files(lambda: s3).open("s3://feeds-bucket/in/feed one.csv"))

    assert b"".join(pieces) == LARGE
    assert max(map(len, pieces)) <= 2**20


@pytest.mark.parametrize(
    "address", ["s3://feeds-bucket/none.csv", "s3://no-such-bucket/a.csv", "s3://feeds-bucket", "s3://"]
)
def test_absent_s3_objects_are_not_found(s3: Any, address: str) -> None:
    with pytest.raises(Terminal) as failure:
        list(S3Files(lambda: s3).open(address))

    assert failure.value.code == "not_found"
