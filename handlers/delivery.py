"""Delivery: one webhook from GitHub, its signature checked over the raw bytes, then parsed. No I/O."""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qs

import msgspec
from msgspec import Meta, Struct

from review.errors import UserError

SIGNATURE_PREFIX = "sha256="
DELIVERY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
EVENT_NAME = re.compile(r"[a-z0-9_]{1,64}")
TOO_DEEP = "The body is JSON nested too deeply."

Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""GitHub's ids are positive and fit Postgres' bigint."""
Number = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Name = Annotated[str, Meta(max_length=1024, pattern=r"^[^\x00]*\Z")]
"""Postgres refuses NUL in text: stopped at the door, it cannot spoil the INSERT it would share with others."""
FullName = Annotated[str, Meta(max_length=256, pattern=r"^(?!\.{1,2}/)[A-Za-z0-9_.-]+/(?!\.{1,2}\Z)[A-Za-z0-9_.-]+\Z")]
Sha = Annotated[str, Meta(pattern=r"^[0-9a-f]{40,64}\Z")]


class Unparsable(UserError):
    """A delivery that nobody can read (400). Its text says what is wrong with it, without repeating it."""


class Account(Struct, frozen=True, gc=False):
    """A user, bot, organization or enterprise (which has a `slug` in place of a `login`)."""

    id: Id | None = None
    login: Name | None = None
    slug: Name | None = None
    type: Name | None = None

    @property
    def name(self) -> str:
        return self.login or self.slug or ""


class Installation(Struct, frozen=True, gc=False):
    """`account` is there in installation events only; the others carry the id alone."""

    id: Id | None = None
    account: Account | None = None
    target_type: Name | None = None
    suspended_at: Any = None


class Repository(Struct, frozen=True, gc=False):
    id: Id | None = None
    full_name: FullName | None = None
    private: bool | None = None
    default_branch: Name | None = None
    owner: Account | None = None


class Head(Struct, frozen=True, gc=False):
    sha: Sha | None = None


class PullRequest(Struct, frozen=True, gc=False):
    number: Number | None = None
    state: Name | None = None
    draft: bool | None = None
    merged: bool | None = None
    user: Account | None = None
    head: Head | None = None


class Changes(Struct, frozen=True, gc=False):
    """What an `edited` pull request was before: `base` is there only when the base branch was changed."""

    base: Any = None


class Payload(Struct, frozen=True, gc=False):
    """The few fields that are needed. Any of them may be missing or null: payloads are older and newer than any schema.

    `ref`, `after` and `deleted` say what a push did: to which branch or tag, and what it is at now (zeros once it is gone).
    """

    action: Name | None = None
    ref: Name | None = None
    after: Sha | None = None
    deleted: bool | None = None
    installation: Installation | None = None
    repository: Repository | None = None
    organization: Account | None = None
    sender: Account | None = None
    pull_request: PullRequest | None = None
    changes: Changes | None = None
    repositories: list[Repository] | None = None
    repositories_added: list[Repository] | None = None
    repositories_removed: list[Repository] | None = None


class Anything(Struct, frozen=True, gc=False):
    """Some JSON object, of which no field is read."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook: `id` is X-GitHub-Delivery (the same again when redelivered), `event` is X-GitHub-Event."""

    id: str
    event: str
    payload: Payload


_payload = msgspec.json.Decoder(Payload)
_anything = msgspec.json.Decoder(Anything)


def verify(body: bytes, signature: str, secrets: Sequence[bytes]) -> bool:
    """Whether `signature` (X-Hub-Signature-256) is that of these raw bytes under one of the secrets.

    The comparison takes the same time wherever the two differ. Without a secret nothing is ever right.
    """
    if not signature.startswith(SIGNATURE_PREFIX) or not signature.isascii():
        return False
    given = signature[len(SIGNATURE_PREFIX) :]
    return any(hmac.compare_digest(hmac.digest(secret, body, "sha256").hex(), given) for secret in secrets if secret)


def parse(delivery_id: str, event: str, body: bytes, *, form: bool = False, strict: bool = True) -> Delivery:
    """The delivery in these bytes: JSON, or with `form` the field `payload` of a urlencoded form.

    With `strict` off (an event that nobody hears) a field of another type than ours is no error: nothing of it is read.
    Raises Unparsable.
    """
    if not DELIVERY_ID.fullmatch(delivery_id):
        raise Unparsable("X-GitHub-Delivery must be 1 to 64 letters, digits, hyphens or underscores.")
    if not EVENT_NAME.fullmatch(event):
        raise Unparsable("X-GitHub-Event must be the name of an event, in lower case letters.")
    return Delivery(delivery_id, event, _decode(_form_payload(body) if form else body, strict))


def _decode(body: bytes, strict: bool) -> Payload:
    try:
        body.decode()  # the decoder does not look into the strings it skips
        return _payload.decode(body)
    except UnicodeDecodeError:
        raise Unparsable("The body is not valid UTF-8.") from None
    except RecursionError:
        raise Unparsable(TOO_DEEP) from None
    except msgspec.ValidationError as error:
        if strict:
            raise Unparsable(f"The body is JSON, but not a payload of this event: {error}.") from None
    except msgspec.DecodeError as error:
        raise Unparsable(f"The body is not JSON: {error}.") from None
    return _bare(body)


def _bare(body: bytes) -> Payload:
    try:
        _anything.decode(body)
    except msgspec.ValidationError:
        raise Unparsable("The body must be a JSON object.") from None
    except RecursionError:
        raise Unparsable(TOO_DEEP) from None
    except msgspec.DecodeError as error:
        raise Unparsable(f"The body is not JSON: {error}.") from None
    return Payload()


def _form_payload(body: bytes) -> bytes:
    """GitHub's other content type, application/x-www-form-urlencoded: the JSON stands in the field `payload`."""
    try:
        fields = parse_qs(body.decode("ascii"), strict_parsing=True, errors="strict", max_num_fields=8)
        return fields["payload"][0].encode()
    except (ValueError, KeyError):
        raise Unparsable("The body must be a form with the field `payload`.") from None
