"""Which function does which kind of job: the whole table."""

from handlers.jobs.analyze import analyze
from handlers.jobs.apply_proposal import apply_proposal
from handlers.jobs.expire import expire, remove_orphans
from handlers.jobs.export import export
from handlers.jobs.index_repository import index_repository
from handlers.jobs.job import Job
from handlers.jobs.prepare_proposal import prepare_proposal
from handlers.jobs.review_pull_request import review_pull_request
from handlers.jobs.send_mail import send_mail
from handlers.jobs.update_installation import update_installation
from handlers.jobs.write_report import write_report

JOBS: dict[str, Job] = {
    "analyze": analyze,
    "apply_proposal": apply_proposal,
    "expire": expire,
    "export": export,
    "index_repository": index_repository,
    "prepare_proposal": prepare_proposal,
    "remove_orphans": remove_orphans,
    "review_pull_request": review_pull_request,
    "send_mail": send_mail,
    "update_installation": update_installation,
    "write_report": write_report,
}
