"""The files port: a local folder, Cloud Storage over its REST surface, and reading from s3:// where boto3 is installed."""

from shared.adapters.files.folder import FolderFiles
from shared.adapters.files.google import GoogleFiles
from shared.adapters.files.s3 import S3Files
from shared.adapters.files.schemes import FilesByScheme

__all__ = ["FilesByScheme", "FolderFiles", "GoogleFiles", "S3Files"]
