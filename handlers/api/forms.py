"""What goes over the wire, in pydantic's terms: the forms that all bodies, queries and answers share."""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

T = TypeVar("T")

LARGEST_ID = 2**63 - 1
"""Postgres' bigint."""


def _no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not hold NUL characters")
    return text


Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Text = Annotated[str, AfterValidator(_no_nul), Field(json_schema_extra={"pattern": r"^[^\x00]*$"})]
"""A string that Postgres can keep. All strings of bodies and queries are of this type."""


class Body(BaseModel):
    """A request's body. Keys that it does not know are an error, so that no misspelt option is silently without effect."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Query(BaseModel):
    """A request's query. Lists are given by repeating the name."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class Nothing(BaseModel):
    """No body, or no parameters."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Data(BaseModel):
    """What an answer holds under `data`."""

    model_config = ConfigDict(frozen=True)


class PageQuery(Query):
    """A page of a list: `cursor` is the `next_cursor` of the page before."""

    limit: int = Field(default=20, ge=1, le=100)
    cursor: Text | None = Field(default=None, max_length=500)


class Page(Data, Generic[T]):
    """A page of a list. `next_cursor` is null on the last one."""

    items: list[T]
    next_cursor: str | None = None


class Envelope(BaseModel, Generic[T]):
    """Every answer in JSON that is a success."""

    success: Literal[True] = True
    data: T
    message: str
    timestamp: datetime


class ErrorBody(BaseModel):
    """`code` is one of the documented ones; `details` depends on it, and is null where there are none."""

    code: str
    message: str
    details: Any = None


class ErrorEnvelope(BaseModel):
    """Every answer in JSON that is none."""

    success: Literal[False] = False
    error: ErrorBody
    timestamp: datetime
