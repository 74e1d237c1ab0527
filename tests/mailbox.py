"""The mails of an installation that is set up for none: read back from its spool folder, with the links in them."""

import email
import re
from email.message import EmailMessage
from email.policy import default
from pathlib import Path


def mails(data_dir: Path) -> list[EmailMessage]:
    """Those in the spool, the oldest first."""
    paths = sorted((data_dir / "mail").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
    return [email.message_from_bytes(path.read_bytes(), policy=default) for path in paths]


def mails_to(data_dir: Path, address: str) -> list[EmailMessage]:
    """Those to that address."""
    return [mail for mail in mails(data_dir) if mail["To"] == address]


def token_in(mail: EmailMessage) -> str:
    """The secret in the mail's link."""
    found = re.search(r"\?token=([A-Za-z0-9_-]+)\s", mail.get_content())
    assert found is not None, mail.get_content()
    return found[1]
