"""pull_request: which of its actions ask for a review, which end one, and which mean nothing to us."""

from typing import Any

from handlers.delivery import Account, Delivery, PullRequest
from handlers.events.event import Decision, Ignored, Noted, PutJob
from handlers.events.installed import installed_repository

REVIEWED = frozenset({"opened", "reopened", "ready_for_review", "synchronize", "edited"})


def decide(delivery: Delivery) -> Decision:
    """A job that reviews the head, a note that a review in progress stops, or the reason why nothing is done."""
    action = delivery.payload.action or ""
    pull = delivery.payload.pull_request or PullRequest()
    if action in ENDS:
        return ENDS[action](pull)
    if action not in REVIEWED:
        return Ignored(f"Ignored: a pull request that is `{action}` needs no new review.")
    if action == "edited" and (delivery.payload.changes is None or delivery.payload.changes.base is None):
        return Ignored("Ignored: the title or text was edited, the change is the same.")
    return _skipped(action, pull) or _review(delivery, pull)


def _closed(pull: PullRequest) -> Noted:
    how = "merged" if pull.merged else "closed"
    return Noted(f"The pull request was {how}: a review in progress stops.")


def _converted_to_draft(_: PullRequest) -> Noted:
    return Noted("The pull request became a draft: a review in progress stops.")


ENDS = {"closed": _closed, "converted_to_draft": _converted_to_draft}


def _skipped(action: str, pull: PullRequest) -> Ignored | None:
    """The reason why this pull request gets no review by default, if there is one."""
    if pull.state == "closed":
        return Ignored("Skipped: the pull request is closed.")
    if pull.draft and action != "ready_for_review":
        return Ignored("Skipped: the pull request is a draft. It is reviewed when it is marked ready for review.")
    if pull.user is not None and pull.user.type == "Bot":
        return Ignored(f"Skipped: the pull request was opened by a bot ({pull.user.name}).")
    return None


def _review(delivery: Delivery, pull: PullRequest) -> PutJob | Ignored:
    installed, head = installed_repository(delivery), pull.head
    if isinstance(installed, Ignored):
        return installed
    if pull.number is None or head is None or head.sha is None:
        return Ignored("Ignored: the delivery does not name the pull request's number and head.")
    account, repository = installed.installation, installed.repository
    return PutJob(
        "review_pull_request",
        {
            "delivery_id": delivery.id,
            "installation_id": account.id,
            "account_id": account.account_id,
            "account": account.account,
            "account_type": account.account_type,
            "repository_id": repository.id,
            "repository": repository.full_name,
            "private": repository.private,
            "default_branch": repository.default_branch,
            "number": pull.number,
            "head_sha": head.sha,
            "action": delivery.payload.action,
            **_sender(delivery.payload.sender),
        },
    )


def _sender(sender: Account | None) -> dict[str, Any]:
    """Who acted. Whether it was this app itself only the job can tell: it knows the app's name."""
    sender = sender or Account()
    return {"sender": sender.name, "sender_is_bot": sender.type == "Bot"}
