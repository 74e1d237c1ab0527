"""The first tables, and row-level security over them: see docs/decisions/0002-row-level-security.md."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the extension, the two roles, the tables and their policies."""
    op.execute(Path(__file__).with_suffix(".sql").read_text().replace(":", "\\:"))


def downgrade() -> None:
    """Drop the tables. The roles stay: other databases of the same server may use them."""
    op.execute(
        "DROP TABLE audit_logs, code_changes, code_changesets, code_postings, code_files, code_vectors, code_chunks,"
        " code_blobs, code_indexes, proposals, reviews, findings, analyses, deliveries, repositories,"
        " installations, users, organizations"
    )
