"""GitHub's own nouns: an installation of the app, a repository, a pull request."""

from dataclasses import dataclass

TRUSTED_ASSOCIATIONS = frozenset({"OWNER", "MEMBER", "COLLABORATOR", "CONTRIBUTOR"})


@dataclass(frozen=True, slots=True)
class Installation:
    """The app on one account. All ids are GitHub's."""

    id: int
    account_id: int
    account: str
    account_type: str = "Organization"
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Repository:
    """One repository; `full_name` is `owner/name` as GitHub writes it, `id` survives renames."""

    id: int
    full_name: str
    private: bool = True
    default_branch: str = "main"


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as it stood when it was read.

    `base_sha` is the tip of the base branch (the diff starts at its merge base with `head_sha`);
    `changed_files` is GitHub's own count, to hold against what was read. `from_fork`: the head's branch, `head_ref`, is
    another repository's (or nobody's any more).
    """

    repository: Repository
    number: int
    head_sha: str
    base_sha: str
    base_ref: str = "main"
    title: str = ""
    body: str = ""
    author: str = ""
    author_is_bot: bool = False
    author_association: str = "NONE"
    state: str = "open"
    draft: bool = False
    changed_files: int | None = None
    head_ref: str = ""
    from_fork: bool = False

    @property
    def from_stranger(self) -> bool:
        """Opened on a public repository by somebody with no tie to it: models only when a maintainer asks."""
        return not self.repository.private and self.author_association not in TRUSTED_ASSOCIATIONS
