"""The forms of analyses: how one is asked for, how lists are filtered, and how one is shown."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from handlers.analyzing.results import Results
from handlers.analyzing.wanted import wanted_categories
from handlers.api.forms import Body, Data, Id, PageQuery, Text
from review.refs import LONGEST, is_ref
from storage.analyses import AnalysisRecord
from storage.analyses.analysis import AnalysisType, Status, Subject
from storage.analyses.pages import Sort

LARGEST_NUMBER = 2**31 - 1
MOST_TAGS = 20


def _ref(name: str) -> str:
    if not is_ref(name):
        raise ValueError("must be the name of a branch or a tag, or a full commit id")
    return name


def _tag(tag: str) -> str:
    if not tag.strip() or tag != tag.strip() or not tag.isprintable():
        raise ValueError("must be a printable word or a few, without spaces around them")
    return tag


Ref = Annotated[Text, Field(min_length=1, max_length=LONGEST), AfterValidator(_ref)]
Tag = Annotated[Text, Field(min_length=1, max_length=50), AfterValidator(_tag)]
Title = Annotated[Text, Field(max_length=200)]


class Options(Body):
    """Each turns a category of findings on or off, whatever the analysis' type has: security, performance, and (by
    `suggest_refactoring`) maintainability."""

    check_security: bool | None = None
    check_performance: bool | None = None
    suggest_refactoring: bool | None = None

    @property
    def given(self) -> dict[str, bool]:
        """Those that say anything."""
        return {name: value for name, value in self.model_dump().items() if value is not None}


class AnalysisWanted(Body):
    """Of what: an `upload_id`; or a repository (by `repository_id`, or by its `owner/name`) with the number of a
    `pull_request`, or with a `ref`: a branch, a tag or a full commit id."""

    upload_id: Id | None = None
    repository: Text | None = Field(default=None, max_length=200, pattern=r"^[\w.-]+/[\w.-]+$")
    repository_id: Id | None = None
    pull_request: int | None = Field(default=None, ge=1, le=LARGEST_NUMBER)
    ref: Ref | None = None
    analysis_type: AnalysisType = "full"
    options: Options = Options()
    title: Title = ""
    tags: list[Tag] = Field(default=[], max_length=MOST_TAGS)

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if sum(given is not None for given in (self.upload_id, self.pull_request, self.ref)) != 1:
            raise ValueError("name one thing to analyze: an upload_id, or a repository with a pull_request or a ref")
        named = sum(given is not None for given in (self.repository, self.repository_id))
        if named != (1 if self.upload_id is None else 0):
            raise ValueError("a pull_request or a ref goes with a repository or a repository_id; an upload_id with neither")
        if not wanted_categories(self.analysis_type, self.options.given):
            raise ValueError("the options turn off all that this type of analysis looks for")
        return self

    @property
    def subject(self) -> Subject:
        """What it is of."""
        return "upload" if self.upload_id is not None else "pull_request" if self.pull_request is not None else "repository"


class AnalysisChange(Body):
    """What is not given stays as it is. `status` may only become `cancelled`, and only before the analysis has ended."""

    title: Title | None = None
    tags: list[Tag] | None = Field(default=None, max_length=MOST_TAGS)
    status: Literal["cancelled"] | None = None


class AnalysisQuery(PageQuery):
    """Which analyses, all conditions together. `since` is included, `until` is not; times have an offset, as in
    2026-01-31T00:00:00Z. Sorted by score, those without one are left out."""

    organization_id: Id | None = None
    repository_id: Id | None = None
    upload_id: Id | None = None
    status: Status | None = None
    analysis_type: AnalysisType | None = None
    subject: Subject | None = None
    tag: Text | None = Field(default=None, max_length=50)
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    min_score: float | None = Field(default=None, ge=0, le=100)
    max_score: float | None = Field(default=None, ge=0, le=100)
    sort: Sort = "-created_at"


class AnalysisQueued(Data):
    """`estimated_time` in seconds, by what the last analyses like this one took. `events` is the WebSocket to follow it on."""

    analysis_id: int
    status: Status
    estimated_time: float
    organization_id: int
    subject: Subject
    events: str


class AnalysisSummary(Data):
    """An analysis as lists show it. `progress` is a percentage, `message` what is done now; `error` says why it failed.

    `pull_request` is a number, `ref` what was asked for, `head_sha` the commit that was read. `severities` counts its issues.
    """

    id: int
    status: Status
    progress: int
    message: str
    error: str | None
    title: str
    tags: list[str]
    subject: Subject
    organization_id: int
    repository_id: int | None
    repository: str | None
    upload_id: int | None
    pull_request: int | None
    ref: str | None
    head_sha: str | None
    analysis_type: AnalysisType
    options: dict[str, bool]
    score: float | None
    severities: dict[str, int]
    changed_lines: int
    partial: bool
    requested_by: int | None
    estimated_time: float | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


ALIKE = AnalysisSummary.model_fields.keys() & set(AnalysisRecord.__dataclass_fields__) - {"error", "tags", "ref", "head_sha"}
"""What a summary holds just as it is kept."""


class AnalysisDetail(AnalysisSummary):
    """`results` is null until the analysis is completed."""

    results: Results | None = None


def summary(record: AnalysisRecord) -> AnalysisSummary:
    """The analysis as lists show it. Nothing is checked again: that would take longer than all else."""
    return AnalysisSummary.model_construct(
        **{name: getattr(record, name) for name in ALIKE},
        error=record.error or None,
        tags=list(record.tags),
        pull_request=record.number,
        ref=record.ref or None,
        head_sha=record.head_sha or None,
        estimated_time=record.estimated_seconds,
    )
