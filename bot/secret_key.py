"""The key of this installation: SECRET_KEY, or outside production one that is made once and kept in the data folder."""

import hashlib
import os
import secrets
from pathlib import Path

from bot.settings import Settings


def secret_key(settings: Settings) -> str:
    """SECRET_KEY, or the kept one. In production `read_settings` has made sure that it is set."""
    return settings.secret_key.get_secret_value() or kept_key(settings.data_dir)


def kept_key(data_dir: Path) -> str:
    """The key in DATA_DIR/secret_key, made if need be, readable by its owner only; of two that make it at once one wins."""
    path = data_dir / "secret_key"
    data_dir.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        new = data_dir / f".secret_key-{secrets.token_hex(8)}"
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        try:
            os.link(new, path)
        except FileExistsError:
            pass
        finally:
            new.unlink()
    return path.read_text().strip()


def marker_key(secret: str) -> bytes:
    """The key that signs the marks in our reviews, derived from SECRET_KEY (BLAKE2b with a purpose of its own)."""
    return hashlib.blake2b(secret.encode(), digest_size=32, person=b"refactoriq:marks").digest()


def derived_key(secret: str, purpose: str) -> bytes:
    """32 bytes for that purpose alone (at most 5 letters), derived from SECRET_KEY like `marker_key`."""
    return hashlib.blake2b(secret.encode(), digest_size=32, person=f"refactoriq:{purpose}".encode()).digest()
