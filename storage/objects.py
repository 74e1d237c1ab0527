"""Files that last: a local folder or an S3 bucket, by one interface (obstore's)."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from obstore.store import LocalStore, ObjectStore, S3Store

from review.errors import UserError


def open_store(url: str, data_dir: Path) -> ObjectStore:
    """The store that STORAGE_URL names (`file:///path`, `s3://bucket/prefix`), or DATA_DIR/objects when it is empty.

    S3 takes its credentials and endpoint from the usual AWS_… variables. Raises UserError.
    """
    if not url:
        return _local(data_dir.expanduser().resolve() / "objects")
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path.startswith("/"):
        return _local(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        return S3Store.from_url(url)
    raise UserError("STORAGE_URL must be file:///an/absolute/path or s3://bucket/prefix.")


def _local(folder: Path) -> ObjectStore:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"Files cannot be kept in {folder} ({error.strerror}): check STORAGE_URL and DATA_DIR.") from error
    return LocalStore(folder)
