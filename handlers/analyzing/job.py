"""The job that runs an analysis, as whoever asks for one puts it, and what it tells live. Nothing heavy is imported here."""

from typing import Any

from handlers.put_jobs import OwnJob
from storage.installations import Installed


def job_of(organization_id: int, analysis_id: int, installed: Installed | None) -> OwnJob:
    """The job of that analysis; `installed` is its repository, where it is of one that the app reaches."""
    return OwnJob(
        id=f"analysis-{analysis_id}",
        kind="analyze",
        arguments={"organization_id": organization_id, "analysis_id": analysis_id},
        owner_id=organization_id,
        installed=installed,
    )


def topic_of(analysis_id: int) -> str:
    """Under which an analysis tells of itself live."""
    return f"analysis:{analysis_id}"


def failure_event(analysis_id: int, code: str, message: str) -> dict[str, Any]:
    """The last event of an analysis that came to nothing: `code` is its status."""
    return {"type": "error", "analysis_id": analysis_id, "error": {"code": code, "message": message}}
