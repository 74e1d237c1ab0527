"""Repositories: those that GitHub lets the caller read, with their settings, and how their code index stands."""

import time
from datetime import datetime
from typing import Any

from pydantic import Field, StrictBool

from handlers.api.cursor import cut, decode
from handlers.api.endpoint import Answer, Asked, Endpoint, Needs
from handlers.api.forms import Body, Data, Id, Nothing, Page, PageQuery, Text
from handlers.api.problem import Code, Problem, not_found
from handlers.put_jobs import index_job, put_own_jobs
from storage.repositories import KeptRepository


class RepositoriesQuery(PageQuery):
    """`q` is a part of the name, in any case."""

    organization_id: Id | None = None
    q: Text = Field(default="", max_length=200)


class SettingsData(Data):
    """`reviews`: pull requests are reviewed. `models`: models may see its code. `index`: an index of its code is kept."""

    reviews: bool
    models: bool
    index: bool


class IndexData(Data):
    """`state` is wanted, running, ready or failed; `commit` what reviews see of it, empty before the first time; `because` why
    the newest try failed."""

    state: str
    commit: str
    files: int
    chunks: int
    indexed_at: datetime | None
    because: str


class RepositoryData(Data):
    """`index` is null where there never was one."""

    id: int
    organization_id: int
    github_id: int
    full_name: str
    private: bool
    default_branch: str
    settings: SettingsData
    index: IndexData | None
    updated_at: datetime


class ChangedSettings(Body):
    """What is not named stays as it is."""

    reviews: StrictBool | None = None
    models: StrictBool | None = None
    index: StrictBool | None = None


class IndexAsked(Data):
    """`job` is its id under /jobs. Asked for twice within a minute, it is the same one."""

    job: str


async def list_repositories(asked: Asked[Nothing, RepositoriesQuery]) -> Answer:
    """A page of them, by name."""
    query, sight = asked.query, asked.caller.sight
    if query.organization_id is not None:
        sight = sight.within([query.organization_id])
    name, id = decode(query.cursor, (str, int)) if query.cursor else ("", 0)
    found = await asked.services.repositories.page(sight, query.q, query.limit + 1, (name, id))
    items, more = cut(query, found, lambda one: [one.full_name, one.id])
    return Answer(Page[RepositoryData](items=[_shown(one) for one in items], next_cursor=more))


async def get_repository(asked: Asked[Nothing, Nothing]) -> Answer:
    """One of them."""
    return Answer(_shown(await _repository(asked)))


async def change_settings(asked: Asked[ChangedSettings, Nothing]) -> Answer:
    """Switch something. Where the index is switched, a job makes it, or forgets it."""
    before = await _repository(asked)
    asked.must_hold(before.organization_id)
    changes = {name: value for name, value in asked.body.model_dump().items() if value is not None}
    settings = await asked.services.repositories.change_settings(before.organization_id, before.id, changes, asked.act)
    if settings.index != before.settings.index:
        await _put_index_job(asked, before)
    return Answer(SettingsData.model_validate(settings, from_attributes=True), "The settings are kept.")


async def index_now(asked: Asked[Nothing, Nothing]) -> Answer:
    """Has the newest commit of the default branch indexed, where it is not yet."""
    repository = await _repository(asked)
    asked.must_hold(repository.organization_id)
    if not repository.settings.index:
        raise Problem(Code.CONFLICT, "No index is kept of this repository: switch `index` on in its settings first.")
    job = await _put_index_job(asked, repository)
    if job is None:
        raise Problem(Code.CONFLICT, "The app may not read this repository (any more): install or resume it there.")
    await asked.services.repositories.note(repository.organization_id, repository.id, asked.act)
    return Answer(IndexAsked(job=job), "It is queued.")


async def _put_index_job(asked: Asked[Any, Nothing], repository: KeptRepository) -> str | None:
    """The job's id; None where no installation reaches the repository."""
    services = asked.services
    installed = await services.installations.of_repository(repository.id)
    if installed is None:
        return None
    job = index_job(installed, f"asked for at {time.time() // 60:.0f}, index {repository.settings.index}")
    await put_own_jobs(services.deliveries, services.queue, [job])
    return job.id


async def _repository(asked: Asked[Any, Nothing]) -> KeptRepository:
    found = await asked.services.repositories.get(asked.caller.sight, asked.path["id"])
    if found is None:
        raise not_found("repository")
    return found


def _shown(one: KeptRepository) -> RepositoryData:
    return RepositoryData.model_validate(one, from_attributes=True)


ENDPOINTS = (
    Endpoint(
        "GET", "/repositories", "repository.list", "Repositories", list_repositories, Needs.ACCOUNT,
        query=RepositoriesQuery, data=Page[RepositoryData],
    ),
    Endpoint(
        "GET", "/repositories/{id}", "repository.read", "One repository", get_repository, Needs.VIEWER,
        data=RepositoryData,
    ),
    Endpoint(
        "PUT", "/repositories/{id}/settings", "repository.change", "Change a repository's settings", change_settings,
        Needs.ADMIN, body=ChangedSettings, data=SettingsData,
    ),
    Endpoint(
        "POST", "/repositories/{id}/index", "repository.index", "Have a repository indexed", index_now, Needs.MAINTAINER,
        data=IndexAsked, status=202, codes=(Code.CONFLICT,),
    ),
)  # fmt: skip
