"""Which function does which kind of job: the whole table."""

from handlers.jobs.job import Job
from handlers.jobs.review_pull_request import review_pull_request
from handlers.jobs.update_installation import update_installation

JOBS: dict[str, Job] = {
    "review_pull_request": review_pull_request,
    "update_installation": update_installation,
}
