"""What people do on the sandbox's GitHub: make repositories, fork, install the app, open pull requests, push, close, talk."""

from collections.abc import Iterable
from pathlib import Path

from tests.builders import Files, commit, git, init_bare
from tests.sandbox.anchors import follow
from tests.sandbox.world import PERMISSIONS, Installation, IssueComment, PullRequest, Repository, Review, World, now


class Authoring:
    """The acts of people; `repository` is always a Repository or its full name."""

    world: World

    def _repository(self, repository: Repository | str) -> Repository:
        if isinstance(repository, Repository):
            return repository
        found = self.world.repository(repository)
        assert found is not None, f"the sandbox has no repository {repository}"
        return found

    def create_repository(
        self,
        full_name: str,
        base: Files | None = None,
        *,
        private: bool = True,
        default_branch: str = "main",
        owner_type: str = "Organization",
    ) -> Repository:
        """A repository with one commit of `base` on its default branch."""
        owner, _, name = full_name.partition("/")
        with self.world.lock:
            path = init_bare(self.world.root / owner / f"{name}.git")
            made = Repository(next(self.world.ids), self.world.user(owner, owner_type), name, path, private, default_branch)
            self.world.repositories[full_name.lower()] = made
            if default_branch != "main":
                git(path, "symbolic-ref", "HEAD", f"refs/heads/{default_branch}")
            if base is not None:
                commit(path, base, ref=f"refs/heads/{default_branch}", message="The beginning")
            return made

    def import_repository(self, full_name: str, source: Path, base: str, *, private: bool = True) -> Repository:
        """A repository that borrows the objects of a local git repository (never written to); `main` stands at `base`."""
        with self.world.lock:
            made = self.create_repository(full_name, private=private)
            where = ("rev-parse", "--path-format=absolute", "--git-path", "objects", "--git-path", "shallow")
            objects, shallow = map(Path, git(source, *where).decode().splitlines())
            (made.path / "objects" / "info").mkdir(exist_ok=True)
            (made.path / "objects" / "info" / "alternates").write_text(f"{objects}\n")
            if shallow.exists():  # where the history of a shallow clone ends
                (made.path / "shallow").write_bytes(shallow.read_bytes())
            sha = git(source, "rev-parse", "--verify", "--end-of-options", f"{base}^{{commit}}").decode().strip()
            git(made.path, "update-ref", "refs/heads/main", sha)
            return made

    def fork(self, repository: Repository | str, owner: str) -> Repository:
        """A fork in that person's account, with every branch."""
        with self.world.lock:
            source = self._repository(repository)
            path = init_bare(self.world.root / owner / f"{source.name}.git")
            git(path, "fetch", "--quiet", str(source.path), "+refs/heads/*:refs/heads/*")
            made = Repository(
                next(self.world.ids),
                self.world.user(owner),
                source.name,
                path,
                source.private,
                source.default_branch,
                fork=True,
            )
            self.world.repositories[made.full_name.lower()] = made
            return made

    def delete_repository(self, repository: Repository | str) -> None:
        self._repository(repository).deleted = True

    def push_base(self, repository: Repository | str, files: Files, ref: str | None = None, *, force: bool = False) -> str:
        """A commit on a branch of the base repository, its default one unless told; gives the new tip.

        `force` puts it in the place of the newest commit. A branch that is not there yet begins with it.
        """
        with self.world.lock:
            repo = self._repository(repository)
            branch = ref or repo.default_branch
            tip = repo.resolve(branch)
            parent = repo.resolve(f"{tip}~1") if tip and force else tip
            name, words = f"refs/heads/{branch}", f"On {branch}{' by force' if force else ''}"
            return commit(repo.path, files, ref=name, parents=[parent] if parent else [], message=words)

    def delete_branch(self, repository: Repository | str, ref: str) -> None:
        with self.world.lock:
            git(self._repository(repository).path, "update-ref", "-d", f"refs/heads/{ref}")

    def install(
        self, account: str, repositories: Iterable[Repository | str] | None = None, permissions: dict[str, str] | None = None
    ) -> Installation:
        """Install the app on an account: on all repositories, or on these."""
        with self.world.lock:
            chosen = None if repositories is None else {self._repository(one).id for one in repositories}
            owner = self.world.user(account, "Organization")
            held = Installation(next(self.world.ids) % 90_000_000, owner, chosen, dict(permissions or PERMISSIONS))
            self.world.installations[held.id] = held
            return held

    def revoke_tokens(self) -> None:
        """Every token given so far is worth nothing from now on."""
        with self.world.lock:
            for token in self.world.tokens.values():
                token.revoked = True

    def open_pull_request(
        self,
        repository: Repository | str,
        head: Files | None = None,
        *,
        base: Files | None = None,
        head_rev: str | None = None,
        base_ref: str | None = None,
        head_ref: str | None = None,
        fork: Repository | None = None,
        title: str = "A change",
        body: str | None = None,
        author: str = "mona",
        author_type: str = "User",
        association: str = "MEMBER",
        draft: bool = False,
    ) -> PullRequest:
        """Open a pull request whose head alters the base by `head`, or stands at `head_rev`, a commit that is there already.

        `base` is committed onto the base branch first; with `fork` the head lives there, and in the base as refs/pull/N/head.
        """
        with self.world.lock:
            repo = self._repository(repository)
            if base is not None:
                self.push_base(repo, base, base_ref)
            base_ref, number = base_ref or repo.default_branch, next(repo.numbers)
            head_ref, tip = head_ref or f"change-{number}", repo.resolve(base_ref)
            assert tip is not None, f"{repo.full_name} has no branch {base_ref}"
            home = fork or repo
            if fork is not None:
                git(fork.path, "fetch", "--quiet", str(repo.path), base_ref)
            sha = head_rev or commit(home.path, head or {}, ref=f"refs/heads/{head_ref}", parents=[tip], message=title)
            pull = PullRequest(
                next(self.world.ids), number, repo, home, self.world.user(author, author_type), title, body, base_ref, tip,
                head_ref, sha, self.world, association, draft,
            )  # fmt: skip
            self._point(pull)
            repo.pulls[number] = pull
            return pull

    def _point(self, pull: PullRequest) -> None:
        """refs/pull/N/head in the base repository, and the head's branch at home, where the head's commit stands."""
        home, number = pull.head_repository, pull.number
        if home is not None and home is not pull.repository:
            git(pull.repository.path, "fetch", "--quiet", "--force", str(home.path), f"{pull.head_sha}:refs/pull/{number}/head")
        else:
            stdin = f"update refs/pull/{number}/head {pull.head_sha}\nupdate refs/heads/{pull.head_ref} {pull.head_sha}\n"
            git(pull.repository.path, "update-ref", "--stdin", stdin=stdin.encode())

    def push(self, pull: PullRequest, files: Files, *, force: bool = False, forget: bool = False) -> str:
        """Push to the pull request; gives the new head. `force` replaces its commits by one on top of the base branch;
        `forget` also takes the old commits out of the repository, as if GitHub had collected them.
        """
        with self.world.lock:
            home = pull.head_repository
            assert home is not None
            if force and home is not pull.repository:
                git(home.path, "fetch", "--quiet", str(pull.repository.path), pull.base_tip)
            parent = pull.base_tip if force else pull.head_sha
            words = f"Push {next(self.world.ids)} to {pull.title}"
            pull.head_sha = commit(home.path, files, ref=f"refs/heads/{pull.head_ref}", parents=[parent], message=words)
            pull.base_sha, pull.updated_at = pull.base_tip, now()
            self._point(pull)
            if forget:
                for path in {home.path, pull.repository.path}:
                    git(path, "repack", "-q", "-a", "-d")
                    git(path, "prune", "--expire=now")
            for comment in pull.comments.values():
                follow(pull, comment)
            return pull.head_sha

    def close(self, pull: PullRequest, *, merged: bool = False) -> None:
        with self.world.lock:
            pull.state, pull.merged, pull.closed_at = "closed", merged, now()

    def reopen(self, pull: PullRequest) -> None:
        with self.world.lock:
            pull.state, pull.merged, pull.closed_at = "open", False, None

    def say(self, pull: PullRequest, body: str, author: str = "mona") -> IssueComment:
        """A person's comment in the conversation."""
        with self.world.lock:
            said = IssueComment(next(self.world.ids), self.world.user(author), body)
            pull.talk[said.id] = said
            return said

    def leave_pending_review(self, pull: PullRequest, body: str = "") -> Review:
        """A PENDING review of the bot's own, as a crash leaves it behind."""
        with self.world.lock:
            review = Review(next(self.world.ids), self.world.bot, body, "PENDING", pull.head_sha)
            pull.reviews[review.id] = review
            return review
