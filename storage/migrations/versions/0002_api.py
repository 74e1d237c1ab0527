"""The API's tables: accounts, members, uploads, analyses that people ask for, proposals, reports, exports, audit."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the reader's role, the tables and their policies; widen analyses, findings, deliveries and audit."""
    op.execute(Path(__file__).with_suffix(".sql").read_text().replace(":", "\\:"))


def downgrade() -> None:
    """Take away all that the upgrade made, and what was kept in it. The reader's role stays, as the others do."""
    op.execute(Path(__file__).with_name("0002_api_down.sql").read_text().replace(":", "\\:"))
