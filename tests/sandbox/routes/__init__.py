"""Every operation that the sandbox's GitHub serves, written out; what is not here is answered with 404, as GitHub does."""

from tests.sandbox.answering import Route
from tests.sandbox.routes import apps, checks, comments, graphql, people, pulls, repositories, reviews

READ_PULLS, WRITE_PULLS = (("pull_requests", "read"),), (("pull_requests", "write"),)
TALK_READ, TALK = (*READ_PULLS, ("issues", "read")), (*WRITE_PULLS, ("issues", "write"))
READ_CODE, READ_CHECKS, WRITE_CHECKS = (("contents", "read"),), (("checks", "read"),), (("checks", "write"),)
REPO = "/repos/{owner}/{repo}"
PULL = f"{REPO}/pulls/{{pull_number}}"
REVIEW = f"{PULL}/reviews/{{review_id}}"
TALKING = f"{REPO}/issues/{{issue_number}}/comments"

ROUTES: tuple[Route, ...] = (
    Route("GET", "/app", apps.app, "app"),
    Route("GET", "/app/installations", apps.installations, "app"),
    Route("GET", "/app/installations/{installation_id}", apps.installation, "app"),
    Route("POST", "/app/installations/{installation_id}/access_tokens", apps.create_token, "app"),
    Route("GET", "/app/hook/deliveries", apps.hook_deliveries, "app"),
    Route("GET", "/app/hook/deliveries/{delivery_id}", apps.hook_delivery, "app"),
    Route("POST", "/app/hook/deliveries/{delivery_id}/attempts", apps.redeliver, "app"),
    Route("GET", f"{REPO}/installation", apps.repository_installation, "app"),
    Route("GET", "/installation/repositories", apps.repositories),
    Route("DELETE", "/installation/token", apps.revoke_token),
    Route("GET", "/rate_limit", apps.rate_limit, "anyone"),
    Route("GET", "/users/{username}", apps.user, "anyone"),
    Route("GET", "/user", people.user, "user"),
    Route("GET", "/user/emails", people.emails, "user"),
    Route("GET", "/user/installations", people.installations, "user"),
    Route("GET", "/user/installations/{installation_id}/repositories", people.repositories, "user"),
    Route("GET", "/user/memberships/orgs/{org}", people.membership, "user"),
    Route("GET", REPO, repositories.repository, "anyone", (("metadata", "read"),)),
    Route("GET", f"{REPO}/contents/{{path}}", repositories.contents, "anyone", READ_CODE),
    Route("GET", f"{REPO}/git/blobs/{{file_sha}}", repositories.blob, "anyone", READ_CODE),
    Route("GET", f"{REPO}/commits/{{ref}}", repositories.commit, "anyone", READ_CODE),
    Route("GET", f"{REPO}/compare/{{basehead}}", repositories.compare, "anyone", READ_CODE),
    Route("GET", f"{REPO}/pulls", pulls.listed, "anyone", READ_PULLS),
    Route("GET", PULL, pulls.one, "anyone", (*READ_PULLS, *READ_CODE)),
    Route("GET", f"{PULL}/files", pulls.files, "anyone", READ_PULLS),
    Route("GET", f"{PULL}/commits", pulls.commits, "anyone", READ_PULLS),
    Route("GET", f"{PULL}/reviews", reviews.listed, "anyone", READ_PULLS),
    Route("POST", f"{PULL}/reviews", reviews.create, needs=WRITE_PULLS),
    Route("GET", REVIEW, reviews.one, "anyone", READ_PULLS),
    Route("PUT", REVIEW, reviews.edit, needs=WRITE_PULLS),
    Route("DELETE", REVIEW, reviews.delete, needs=WRITE_PULLS),
    Route("POST", f"{REVIEW}/events", reviews.submit, needs=WRITE_PULLS),
    Route("PUT", f"{REVIEW}/dismissals", reviews.dismiss, needs=WRITE_PULLS),
    Route("GET", f"{REVIEW}/comments", reviews.comments, "anyone", READ_PULLS),
    Route("GET", f"{PULL}/comments", comments.listed, "anyone", READ_PULLS),
    Route("POST", f"{PULL}/comments", comments.create, needs=WRITE_PULLS),
    Route("POST", f"{PULL}/comments/{{comment_id}}/replies", comments.reply, needs=WRITE_PULLS),
    Route("GET", f"{REPO}/pulls/comments/{{comment_id}}", comments.one, "anyone", READ_PULLS),
    Route("PATCH", f"{REPO}/pulls/comments/{{comment_id}}", comments.edit, needs=WRITE_PULLS),
    Route("DELETE", f"{REPO}/pulls/comments/{{comment_id}}", comments.delete, needs=WRITE_PULLS),
    Route("GET", TALKING, comments.talk, "anyone", TALK_READ),
    Route("POST", TALKING, comments.say, needs=TALK),
    Route("PATCH", f"{REPO}/issues/comments/{{comment_id}}", comments.say_again, needs=TALK),
    Route("DELETE", f"{REPO}/issues/comments/{{comment_id}}", comments.unsay, needs=TALK),
    Route("POST", f"{REPO}/check-runs", checks.create, needs=WRITE_CHECKS),
    Route("GET", f"{REPO}/check-runs/{{check_run_id}}", checks.one, "anyone", READ_CHECKS),
    Route("PATCH", f"{REPO}/check-runs/{{check_run_id}}", checks.edit, needs=WRITE_CHECKS),
    Route("POST", "/graphql", graphql.graphql, "anyone", described=False),
    Route("POST", "/api/graphql", graphql.graphql, "anyone", described=False),
)
