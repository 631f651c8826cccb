"""Reading s3:// with boto3, which no bundle carries: an operator who has feeds there adds it to the requirements.

Credentials and region are those of boto3's own chain (environment, profile, role).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from shared.adapters.files.names import PIECE, bucket_and_name, not_found, refused
from shared.core.errors import Terminal, Transient

__all__ = ["S3Files"]

_ABSENT = frozenset({"NoSuchKey", "NoSuchBucket", "404", "NotFound", "InvalidBucketName"})
_DENIED = frozenset({"AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"})


class S3Files:
    """Reads objects; nothing is put there."""

    def __init__(self, client: Callable[[], Any] | None = None) -> None:
        """Take what makes the client (boto3's by default)."""
        self._client = client or _official

    def put(self, name: str, pieces: Iterable[bytes]) -> str:
        """Refuse: uploads are kept in a place of ours."""
        raise Terminal("unsupported", "Files are not put into s3.")

    def open(self, address: str) -> Iterator[bytes]:
        """Yield an object."""
        bucket, key = bucket_and_name(address)
        client = self._client()
        import botocore.exceptions as failures

        try:
            body = client.get_object(Bucket=bucket, Key=key)["Body"]
            yield from body.iter_chunks(PIECE)
        except failures.ClientError as error:
            raise _meaning(error.response.get("Error", {}).get("Code", "")) from error
        except failures.NoCredentialsError as error:
            raise refused() from error
        except (failures.BotoCoreError, failures.HTTPClientError) as error:
            raise Transient("files_unavailable", "S3 does not answer.") from error

    def delete(self, address: str) -> None:
        """Refuse."""
        raise Terminal("unsupported", "Files are not removed from s3.")


def _official() -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        detail = "This deployment does not read s3: add boto3 to its requirements."
        raise Terminal("unsupported", detail) from None
    return boto3.client("s3", config=Config(connect_timeout=10, read_timeout=10, retries={"max_attempts": 2}))


def _meaning(code: str) -> Exception:
    if code in _ABSENT:
        return not_found()
    if code in _DENIED:
        return refused()
    return Transient("files_unavailable", "S3 answered with an error.", rate_limited=code == "SlowDown")
