"""The command line: `refactoriq`. Each command imports what it needs when it runs, so that every one starts fast."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.terminal import say
from review.errors import RefactorIQError

app = typer.Typer(
    name="refactoriq",
    help="Reviews pull requests on GitHub, and changes on this machine before they are pushed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
jobs = typer.Typer(help="List the jobs that wait, run, or failed for good, with their reasons.", invoke_without_command=True)
app.add_typer(jobs, name="jobs")
users = typer.Typer(help="Accounts: make an administrator.", no_args_is_help=True)
app.add_typer(users, name="users")


@app.command()
def review(
    path: Annotated[Path, typer.Argument(help="A git checkout.")] = Path(),
    base: Annotated[str | None, typer.Option(help="Compare with this revision (default: where the branch left main).")] = None,
    head: Annotated[str | None, typer.Option(help="Review this revision (default: the working tree).")] = None,
    format: Annotated[str, typer.Option(help="text, json, markdown, sarif, html or pdf.")] = "text",
    fail_on: Annotated[str | None, typer.Option(help="Exit 1 at this severity or worse: critical … info.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Write the verified suggestions into the working tree.")] = False,
) -> None:
    """Review a local change with the bot's own engine: no server, no database."""
    from bot.commands.review import review as run

    raise typer.Exit(run(path, base, head, format, fail_on, apply))


@app.command()
def index(
    what: Annotated[str, typer.Argument(metavar="PATH|OWNER/REPO", help="An installed repository, or a git checkout.")],
) -> None:
    """Bring an installed repository's index up to date; of a local checkout, show what would be indexed."""
    from bot.commands.index import index as run

    run(what)


@app.command()
def context(
    path: Annotated[Path, typer.Argument(help="A git checkout.")] = Path(),
    rev: Annotated[str, typer.Option(help="The revision that the diff starts from, at which the other code is read.")] = "HEAD",
    diff: Annotated[
        str, typer.Option(metavar="FILE", help="The output of `git diff` against it; - reads it from stdin.")
    ] = "-",
    format: Annotated[str, typer.Option(help="text or json.")] = "text",
    k: Annotated[int, typer.Option("-k", help="How many files.")] = 10,
) -> None:
    """Print what other code a diff would be reviewed with, each file and place with the reason that it is there."""
    from bot.commands.context import context as run

    raise typer.Exit(run(path, rev, diff, format, k))


@app.command()
def eval_retrieval(
    path: Annotated[Path, typer.Argument(metavar="REPO", help="A git checkout with its history.")],
    queries: Annotated[int, typer.Option(help="How many commits to ask about.")] = 200,
    format: Annotated[str, typer.Option(help="text or json.")] = "text",
) -> None:
    """Measure retrieval: hide one file of each of many commits, and see how far up it is found."""
    from bot.commands.eval_retrieval import eval_retrieval as run

    raise typer.Exit(run(path, queries, format))


@app.command()
def serve() -> None:
    """Run web, worker and scheduler together, on embedded Postgres and Redis unless DATABASE_URL and REDIS_URL are set."""
    from bot.commands.serve import serve as run

    raise typer.Exit(run())


@app.command()
def web() -> None:
    """Run the web process: webhooks, health, metrics."""
    from bot.commands.processes import web as run

    run()


@app.command()
def worker(burst: Annotated[bool, typer.Option("--burst", help="Stop when no job is left.")] = False) -> None:
    """Run a worker, with the scheduler inside it (one of all workers schedules)."""
    from bot.commands.processes import worker as run

    run(burst=burst)


@app.command()
def migrate() -> None:
    """Bring the database to the newest version."""
    from bot.commands.processes import migrate as run

    run()


@app.command()
def doctor() -> None:
    """Say for each setting and service whether it works, and what to do where it does not."""
    from bot.commands.doctor import doctor as run

    raise typer.Exit(run())


@app.command()
def seed(
    force: Annotated[bool, typer.Option("--force", help="Remove the sample organization, and make it anew.")] = False,
) -> None:
    """Make sample data for a try: an organization, a month of analyses, and somebody to sign in as. Not in production."""
    from bot.commands.seed import seed as run

    run(force=force)


@jobs.callback()
def list_jobs(
    context: typer.Context,
    all: Annotated[bool, typer.Option("--all", help="The newest 50 deliveries, whatever became of them.")] = False,
) -> None:
    """List the jobs that wait, run, or failed for good, with their reasons."""
    if context.invoked_subcommand is None:
        from bot.commands.jobs import list_jobs as run

        run(all=all)


@jobs.command("retry")
def retry_job(job_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Put a job that failed for good back into its queue."""
    from bot.commands.jobs import retry_job as run

    run(job_id)


@users.command()
def create_admin(
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    name: Annotated[str, typer.Option(help="Their full name.")] = "",
) -> None:
    """Make an administrator, with a password from the terminal or stdin (none: one is made and shown), or promote a user."""
    from bot.commands.users import create_admin as run

    run(email, name)


def main() -> None:
    """Run the command line; what a person can mend is one sentence on stderr and exit code 2, never a stack trace."""
    try:
        app()
    except RefactorIQError as error:
        say(f"refactoriq: {error}")
        sys.exit(2)
