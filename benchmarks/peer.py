"""
better-auth's organization plugin on Node and PostgreSQL, as a subject.

PostgreSQL comes from Debian and runs with its default settings on a data directory of its own. Where it or the Node
package is not there, Unavailable says so in one sentence.
"""

import json
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import aiohttp

from benchmarks.loome import ask
from benchmarks.programs import Program, free_port, running
from benchmarks.subjects import Operation, Progress, UnexpectedAnswer
from local.node import find_node

_FOLDER = Path(__file__).parent / "better_auth"
_USER = "postgres"
_ROLES = ("admin", "member")
_READY = "ready to accept connections"
_PAGE, _ALL = 100, 1000


class Unavailable(Exception):
    """The peer cannot be run here; the message is one sentence."""


@dataclass
class BetterAuth:
    """One organization, asked over HTTP with the cookies of genuine sessions."""

    session: aiohttp.ClientSession
    program: Program
    database: Program
    url: str
    seed: Any
    name: str = "better-auth"
    organization: str = ""
    _invitations: dict[int, str] = field(default_factory=dict)
    _members: dict[int, str] = field(default_factory=dict)
    _role: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.organization = self.organization or self.seed["organization"]

    @property
    def pid(self) -> int:
        """The process that runs better-auth."""
        return self.program.pid

    @property
    def storage_pid(self) -> int:
        """PostgreSQL's main process, which leaves the work to others."""
        return self.database.pid

    async def prepare(self, operation: Operation, indexes: Sequence[int]) -> None:
        """Do nothing: everybody has a session already."""

    async def run(self, operation: Operation, index: int) -> None:
        """Carry out one operation."""
        match operation:
            case Operation.INVITE:
                await self.invite(self._invitee(index)["email"], index)
            case Operation.CONVERT:
                body = {"invitationId": self._invitations.pop(index)}
                answer = await self._call("accept-invitation", body, cookie=self._invitee(index)["cookie"])
                self._members[index] = answer["member"]["id"]
            case Operation.LIST_100:
                await self._list(_PAGE, index)
            case Operation.LIST_ALL:
                await self._list(_ALL, index)
            case Operation.CHANGE_ROLE:
                await self._change_role(self.seed["members"][index % len(self.seed["members"])], index)
            case Operation.REMOVE:
                await self._call("remove-member", self._body(memberIdOrEmail=self._members.pop(index)), by=index)
            case Operation.ME:
                await self._call(f"get-active-member-role?organizationId={self.organization}", by=index)
            case Operation.SIGN_IN:
                raise UnexpectedAnswer("better-auth has no sign-in of another identity provider's people here")

    async def invite(self, address: str, index: int, *, cookie: str | None = None) -> None:
        """Invite an address."""
        answer = await self._call("invite-member", self._body(email=address, role="member"), cookie=cookie, by=index)
        self._invitations[index] = answer["id"]

    async def another_organization(self) -> "BetterAuth":
        """Create an empty organization, whose owner is the first one's."""
        name = uuid4().hex
        created = await self._call("create", {"name": name, "slug": name}, cookie=self.seed["owner"])
        return BetterAuth(self.session, self.program, self.database, self.url, self.seed, organization=created["id"])

    def _invitee(self, index: int) -> Any:
        return self.seed["invitees"][index % len(self.seed["invitees"])]

    async def _list(self, limit: int, by: int) -> None:
        answer = await self._call(f"list-members?organizationId={self.organization}&limit={limit}", by=by)
        expected = min(limit, len(self.seed["members"]))
        if len(answer["members"]) < expected:
            raise UnexpectedAnswer(f"better-auth lists {len(answer['members'])} members instead of {expected}")

    async def _change_role(self, member: str, by: int) -> None:
        self._role[member] = to = _ROLES[self._role.get(member) == _ROLES[0]]
        await self._call("update-member-role", self._body(memberId=member, role=to), by=by)

    def _body(self, **content: str) -> dict[str, str]:
        return {"organizationId": self.organization, **content}

    async def _call(self, path: str, body: object = None, *, cookie: str | None = None, by: int = 0) -> Any:
        """Ask with a person's cookie, or as the administrator whose turn it is."""
        administrators = self.seed["administrators"]
        headers = {"Cookie": cookie or administrators[by % len(administrators)], "Origin": self.url}
        method = "GET" if body is None else "POST"
        return await ask(self.session, method, f"{self.url}/api/auth/organization/{path}", body, headers)


@contextmanager
def better_auth(
    session: aiohttp.ClientSession, data: Path, *, members: int, administrators: int, invitees: int, progress: Progress
) -> Iterator[BetterAuth]:
    """Run better-auth with an organization as large as the app's tenant; raise Unavailable where that cannot be."""
    if not (_FOLDER / "node_modules").exists():
        raise Unavailable("better-auth is not installed (`python3 dev.py bench` does that).")
    port = free_port()
    with _postgresql(data, progress) as (database, address):
        environment = os.environ | {"DATABASE_URL": address, "PORT": str(port), "NODE_ENV": "production"}
        progress(f"better-auth: an organization of {members} members")
        seed = _run([find_node(), _FOLDER / "seed.mjs", str(members), str(administrators), str(invitees)], environment)
        server = [find_node(), _FOLDER / "server.mjs"]
        log = data / "better-auth.log"
        with running(server, log=log, ready=lambda text: "listening" in text, environment=environment) as program:
            yield BetterAuth(session, program, database, f"http://127.0.0.1:{port}", json.loads(seed))


def postgresql_version() -> str | None:
    """Tell which PostgreSQL is installed."""
    if folder := _find_postgresql():
        return _run([folder / "postgres", "--version"]).split()[2]
    return None


@contextmanager
def _postgresql(data: Path, progress: Progress) -> Iterator[tuple[Program, str]]:
    """Run a PostgreSQL of our own with its default settings, as a user that is not root, and tell its address."""
    folder = _find_postgresql() or _install_postgresql(progress)
    port = free_port()
    with TemporaryDirectory(prefix="loome-bench-", dir="/var/tmp") as place:  # never in memory
        cluster = Path(place) / "postgresql"
        cluster.mkdir()
        as_user: list[str | Path] = []
        if os.geteuid() == 0:
            user = pwd.getpwnam(_USER)
            for path in (Path(place), cluster):
                os.chown(path, user.pw_uid, user.pw_gid)
            as_user = ["setpriv", f"--reuid={_USER}", f"--regid={user.pw_gid}", "--init-groups", "--pdeathsig", "keep"]
        progress("PostgreSQL: making a cluster")
        _run([*as_user, folder / "initdb", "-D", cluster, "-A", "trust", "-U", "bench", "--no-sync"])
        listen = ("-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={cluster}")
        command = [*as_user, folder / "postgres", "-D", cluster, *listen]
        with running(command, log=data / "postgresql.log", ready=lambda text: _READY in text) as program:
            yield program, f"postgres://bench@127.0.0.1:{port}/postgres"


def _find_postgresql() -> Path | None:
    return next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


def _install_postgresql(progress: Progress) -> Path:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Unavailable("PostgreSQL is not installed (on Debian: apt install postgresql).")
    progress("PostgreSQL: installing it from Debian")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        _run(["apt-get", "update", "-q"], environment)
        _run(["apt-get", "install", "-q", "-y", "--no-install-recommends", "postgresql"], environment)
    except UnexpectedAnswer as error:
        raise Unavailable("PostgreSQL could not be installed from Debian.") from error
    return _find_postgresql() or _gone()


def _gone() -> Path:
    raise Unavailable("Debian's PostgreSQL is not where it usually is.")


def _run(command: Sequence[str | Path], environment: dict[str, str] | None = None) -> str:
    """Run a program to its end, and give what it printed."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        raise UnexpectedAnswer(f"{Path(command[0]).name} failed:\n{done.stdout[-1000:]}{done.stderr[-1000:]}")
    return done.stdout
