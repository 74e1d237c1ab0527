"""The worker process: rq's, with quick recovery after a death, a scheduler inside, and one job at a time in a child."""

import asyncio
import gc
import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue as RqQueue
from rq import Retry, Worker
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.registry import FailedJobRegistry, ScheduledJobRegistry, StartedJobRegistry
from rq.utils import now

from bot.chores import expire_once, forget_once, sweep_once
from bot.github.identity import read_key
from bot.leftovers import keep_temporary_files_in, sweep_leftovers, temporary_folder
from bot.logs import report, set_up_logs, set_up_reports
from bot.settings import Settings, has_github_app, read_settings
from bot.wiring import open_context
from handlers.context import Context
from handlers.give_up import give_up
from handlers.perform import perform as perform_job
from handlers.perform import put_off
from handlers.process_figures import cpu, memory_of
from review import analyzers, providers
from review.errors import TryAgain
from storage.counts import PROCESSES, ProcessState, process_name, said
from storage.embedded.child import die_with_parent
from storage.queue import PERFORM, QUEUES, Json

HEARTBEAT = 5
"""Seconds between two signs of life of a job in progress."""

LIFE = 3 * HEARTBEAT
"""Seconds after the last sign of life when a job counts as dead and is taken up again. rq's own are over a minute."""

IDLE = 2
"""Seconds that a worker waits for a job before it looks around; rq derives them from the worker's own time to live."""

AWAY = 5
"""Seconds between two looks for a Redis or Postgres that is away."""

SWEEP_EVERY = 15.0
FORGET_EVERY = 24 * 3600.0
EXPIRE_EVERY, FIRST_EXPIRY = 3600.0, 60.0

SCHEDULER = "refactoriq:scheduler"
"""The lock in Redis under which one worker of all does what is to be done now and then."""

SCHEDULER_SECONDS = 30
MOST_BUGS = 3
"""Attempts at a job that fails by a bug: it may be a rare race, but hardly ever passes."""

log = structlog.get_logger()


def run_worker(settings: Settings, *, burst: bool = False) -> None:
    """Work until SIGTERM or SIGINT (the job in progress is finished first), or with `burst` until no job is left.

    Raises UserError at once where a setting cannot be used, and with `burst` RedisError. A Redis that goes away later is
    waited for.
    """
    set_up_logs(settings)
    set_up_reports(settings)
    keep_temporary_files_in(temporary_folder(settings.data_dir))
    sweep_leftovers(temporary_folder(settings.data_dir))
    if has_github_app(settings):
        read_key(settings.github_private_key.get_secret_value())
    else:
        log.warning("no GitHub App", because="GITHUB_APP_ID and GITHUB_PRIVATE_KEY are not set: jobs that need one will fail.")
    analyzers.preload()
    providers.preload()
    asyncio.run(_try_settings(settings))
    gc.freeze()  # what is there now is never looked at by a child's garbage collector, and so stays shared
    connection = Redis.from_url(settings.redis_url.get_secret_value(), socket_connect_timeout=5)
    with suppress(StopRequested):
        while not _work(settings, connection, burst):
            time.sleep(AWAY)


async def _try_settings(settings: Settings) -> None:
    """What every job opens, opened once: a key that is none is told at the start, and not job by job."""
    async with open_context(settings):
        pass


def _work(settings: Settings, connection: Redis, burst: bool) -> bool:
    """Whether the work is over. Else rq gave up because Redis went away between two jobs."""
    try:
        worker = ReviewWorker(settings, connection)
        worker.work(burst=burst, logging_level="WARNING")
    except RedisError as error:
        if burst:
            raise
        log.warning("Redis is away", because=str(error))
        return False
    return burst or worker.asked_to_stop


class NotOurs(Exception):
    """A job that names another function than `perform`: none that we put."""


class OurJob(Job):
    """A job that makes a worker call `perform` and nothing else, whatever somebody wrote into Redis.

    rq's own imports and calls any function whose name stands in the job's hash: as the job, or as a callback of it.
    """

    success_callback = failure_callback = stopped_callback = None

    @property
    def func(self) -> Callable[[str, Mapping[str, Any]], Retry | None]:
        """`perform`. Raises NotOurs where the job names anything else."""
        if self.func_name != PERFORM:
            raise NotOurs(f"job {self.id} was not put by us")
        return perform

    def send_webhooks(self, status: str | JobStatus, *, exc_string: str | None = None) -> None:
        """None: an address out of Redis is not to be called from in here."""


class ReviewWorker(Worker):
    """Takes jobs from the three queues, forks a child for each, and keeps the queues in order between and meanwhile."""

    job_class = OurJob
    max_connection_wait_time = float(AWAY)

    def __init__(self, settings: Settings, connection: Redis) -> None:
        super().__init__(
            list(QUEUES),
            connection=connection,
            serializer=Json,
            worker_ttl=IDLE + 15,
            job_monitoring_interval=HEARTBEAT,
            maintenance_interval=1,
        )
        self._settings = settings
        self._next_sweep = self._next_forgetting = 0.0
        self._next_expiry = time.monotonic() + FIRST_EXPIRY
        self.asked_to_stop = False

    def handle_warm_shutdown_request(self) -> None:
        """Called at the first SIGTERM or SIGINT."""
        self.asked_to_stop = True
        log.info("stopping once the job in progress is done")

    def teardown(self) -> None:
        """Take leave of Redis, if it is there."""
        try:
            super().teardown()  # type: ignore[no-untyped-call]
        except RedisError:
            if self.pubsub_thread is not None:
                self.pubsub_thread.stop()

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:  # noqa: ARG002
        """Seconds until a job without another heartbeat counts as abandoned."""
        return LIFE

    def prepare_execution(self, job: Job) -> Execution:
        """Called before each job. Whoever died at it left a name in the job's list of executions that outlives its record.

        rq would stumble over that name once the job is done, and take the job for failed.
        """
        self.connection.delete(job.execution_registry.key)
        return super().prepare_execution(job)

    def setup_work_horse_signals(self) -> None:
        """The child dies with its worker, however that dies; a SIGTERM to the whole group lets it finish."""
        die_with_parent(signal.SIGKILL)
        if os.getppid() != self.pid:
            os._exit(1)  # the worker died before we asked
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        """Called every few seconds while the child works. A Redis that is away stops no work: the next call may reach it."""
        try:
            super().maintain_heartbeats(job, execution)
            self._look_around()
        except RedisError as error:
            log.warning("no heartbeat to Redis", because=str(error))

    def run_maintenance_tasks(self) -> None:
        """Called every few seconds while there is no job."""
        self.last_cleaned_at = now()  # type: ignore[assignment]
        self._look_around()

    def _look_around(self) -> None:
        """Say how we are. Queue what is due and what was lost: one worker of all does it, at most once a second."""
        memory = memory_of(os.getpid()) + memory_of(self.horse_pid or 0)
        state = ProcessState(name=process_name(), role="worker", memory=memory, cpu=cpu())
        self.connection.hset(PROCESSES, state.name, said(state))
        if not self.connection.set(SCHEDULER, self.name, nx=True, ex=SCHEDULER_SECONDS):
            return
        try:
            for queue in self.queues:
                queue_due(queue)
                StartedJobRegistry(queue=queue, job_class=OurJob).cleanup()
                FailedJobRegistry(queue=queue, job_class=OurJob).cleanup()
            if time.monotonic() >= self._next_sweep:
                self._next_sweep = time.monotonic() + SWEEP_EVERY
                asyncio.run(sweep_once(self._settings))
            if time.monotonic() >= self._next_forgetting:
                self._next_forgetting = time.monotonic() + FORGET_EVERY
                asyncio.run(forget_once(self._settings))
                sweep_leftovers(temporary_folder(self._settings.data_dir))
            if time.monotonic() >= self._next_expiry:
                self._next_expiry = time.monotonic() + EXPIRE_EVERY
                asyncio.run(expire_once(self._settings))
        except TryAgain as away:
            log.warning("no sweep", because=str(away))
        finally:
            self.connection.pexpire(SCHEDULER, 1000)


def queue_due(queue: RqQueue) -> None:
    """Queue the jobs that were put off until now. Only under the scheduler's lock.

    First onto the queue, then off the schedule: whoever dies between the two leaves a job twice, which does no harm.
    """
    registry = ScheduledJobRegistry(queue=queue)  # type: ignore[no-untyped-call]
    ids = registry.get_jobs_to_schedule()
    for id, job in zip(ids, OurJob.fetch_many(ids, connection=queue.connection, serializer=Json), strict=True):
        if job is not None:
            queue.enqueue_job(job)
        registry.remove(id)


def perform(kind: str, arguments: Mapping[str, Any]) -> Retry | None:
    """One job, in the child. A Retry as the answer puts it off.

    Whether it was tried often enough is for `handlers.perform` to say, not for rq's own count. A Postgres that is away
    counts for nothing, as long as it may last: nobody could write down that the job was given up.
    """
    settings = read_settings()
    structlog.contextvars.bind_contextvars(delivery=str(arguments["delivery_id"]))
    try:
        seconds = asyncio.run(attempt(settings, kind, arguments))
    except TryAgain as away:
        log.warning("job put off", seconds=AWAY, because=str(away))
        seconds = AWAY
    return None if seconds is None else Retry(max=1_000_000, interval=max(round(seconds), 1))


async def attempt(settings: Settings, kind: str, arguments: Mapping[str, Any]) -> float | None:
    """One try at a job, with a Context of its own. Gives the seconds until the next try, None when it has come to an end."""
    async with open_context(settings) as context:
        try:
            return await perform_job(context, kind, arguments)
        except TryAgain:
            raise
        except Exception as error:
            log.exception("bug", job=kind)
            report(error, delivery=str(arguments["delivery_id"]), job=kind)
            return await _after_bug(context, kind, arguments, error)


async def _after_bug(context: Context, kind: str, arguments: Mapping[str, Any], error: Exception) -> float | None:
    """A few more tries, for it may have been a race; then the delivery says what it was. Its name only: no code, no data."""
    delivery_id = str(arguments["delivery_id"])
    delivery = await context.deliveries.get(delivery_id)
    attempts = delivery.attempts if delivery is not None else MOST_BUGS
    because = f"A mistake of ours ({type(error).__name__}); the log tells more."
    if attempts < MOST_BUGS:
        return await put_off(context, kind, arguments, TryAgain(because), attempts)
    await give_up(context.database, delivery_id, kind, arguments, because)
    return None
