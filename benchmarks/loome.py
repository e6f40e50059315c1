"""The app as a subject: a tenant with members, and the operations over HTTP with genuine tokens."""

import asyncio
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import aiohttp

from benchmarks.stack import Host, World
from benchmarks.subjects import Operation, Progress, UnexpectedAnswer

_OPERATOR = {"roles": ["Operator"], "name": "Olga"}
_ROLES = ("consumer", "project-creator")
_PAGE = 100
_AT_ONCE = 4
_MOST_AT_ONCE = 1000
_TRIES = 10


class Busy(UnexpectedAnswer):
    """Whoever was asked wants to be asked again later."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an address and an access token."""

    address: str
    token: str


@dataclass
class Loome:
    """
    One tenant, asked over HTTP.

    Administrators take turns, as one person may send 1,200 requests a minute only.
    """

    session: aiohttp.ClientSession
    host: Host
    world: World
    name: str = "app"
    tenant: str = field(default_factory=lambda: f"t{uuid4().hex[:12]}")
    administrators: list[Person] = field(default_factory=list)
    turned_away: int = 0
    """How often the app has said that it is too busy, and was asked again."""
    _members: list[str] = field(default_factory=list)
    _people: dict[int, Person] = field(default_factory=dict)
    _ids: dict[int, str] = field(default_factory=dict)
    _role: dict[str, str] = field(default_factory=dict)

    @property
    def pid(self) -> int:
        """The process that runs the app."""
        return self.host.pid

    @property
    def storage_pid(self) -> int:
        """The process that keeps the tables."""
        return self.world.storage.pid

    async def found(self, *, members: int, administrators: int, progress: Progress) -> None:
        """Create the tenant with people who have all signed in."""
        await self.call("GET", "health")
        self.administrators = await self.people("admin", range(administrators))
        first, *others = self.administrators
        tenant = {
            "id": self.tenant,
            "product": "integrate",
            "name": "Acme",
            "url": "https://acme.test",
            "administrators": [first.address],
        }
        await self.call("POST", "tenants", tenant, token=await self.token(_OPERATOR))
        await self.sign_in(first)
        if others:
            await self.add("administrator", others)
            await _each(self._join, others)
        await self._fill(members - administrators, progress)

    async def _fill(self, count: int, progress: Progress) -> None:
        progress(f"{self.name}: tokens for {count} members")
        people = await self.people("member", range(count))
        progress(f"{self.name}: inviting {count} members")
        for some in itertools.batched(people, _MOST_AT_ONCE, strict=False):
            self._members += await self.add(_ROLES[0], some)
        progress(f"{self.name}: signing {count} members in")
        await _each(self._join, people)

    async def _join(self, person: Person) -> None:
        """Sign somebody in for the first time, perhaps after an answer that was lost."""
        await self.call("POST", "sign-in", {"product": "integrate"}, token=person.token)

    async def prepare(self, operation: Operation, indexes: Sequence[int]) -> None:
        """Give those who will be invited their tokens."""
        if operation is Operation.INVITE:
            people = await self.people("guest", indexes)
            self._people.update(zip(indexes, people, strict=True))

    async def run(self, operation: Operation, index: int) -> None:
        """Carry out one operation."""
        match operation:
            case Operation.INVITE:
                self._ids[index] = (await self.add(_ROLES[0], [self._people[index]], by=index))[0]
            case Operation.CONVERT:
                await self.sign_in(self._people.pop(index))
            case Operation.LIST_100:
                await self._page("", index)
            case Operation.LIST_ALL:
                await self._list_all(index)
            case Operation.CHANGE_ROLE:
                await self._change_role(self._members[index % len(self._members)], index)
            case Operation.REMOVE:
                await self.call("DELETE", f"{self._tenant}/members/{self._ids.pop(index)}", by=index)
            case Operation.ME:
                await self.call("GET", f"{self._tenant}/me", by=index)
            case Operation.SIGN_IN:
                await self.sign_in(self.administrator(index), converted=False)

    async def people(self, kind: str, numbers: Iterable[int]) -> list[Person]:
        """Make up people of this tenant."""
        return await _each(self._person, [f"{kind}{number}-{self.tenant}" for number in numbers])

    def administrator(self, turn: int) -> Person:
        """Tell whose turn it is."""
        return self.administrators[turn % len(self.administrators)]

    async def add(self, role: str, people: Sequence[Person], *, by: int = 0) -> list[str]:
        """Invite people, and tell their ids."""
        members = [{"kind": "user", "email": person.address} for person in people]
        answer = await self.call("POST", f"{self._tenant}/members", {"role": role, "members": members}, by=by)
        outcomes = {result["outcome"] for result in answer["results"]}
        if outcomes != {"invited"}:
            raise UnexpectedAnswer(f"people who should have been invited were {outcomes}")
        return [result["member"]["id"] for result in answer["results"]]

    async def sign_in(self, person: Person, *, converted: bool = True) -> None:
        """Sign somebody in, which converts their invitation, or has nothing to convert."""
        answer = await self.call("POST", "sign-in", {"product": "integrate"}, token=person.token)
        if [tenant["converted"] for tenant in answer["tenants"]] != [converted]:
            raise UnexpectedAnswer(f"a sign-in that should have converted={converted} answered {answer}")

    async def call(
        self, method: str, path: str, body: object = None, *, token: str | None = None, by: int | None = None
    ) -> Any:
        """
        Ask the app, as somebody with a token, as the administrator whose turn it is, or as nobody.

        Where storage has no answer for five seconds the app says so, and is asked again, as front ends are told to.
        """
        token = self.administrator(by).token if by is not None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        for _ in range(_TRIES):
            try:
                return await ask(self.session, method, f"{self.host.url}/api/{path}", body, headers)
            except Busy:
                self.turned_away += 1
                await asyncio.sleep(1)
        raise UnexpectedAnswer(f"the app has been too busy {_TRIES} times in a row")

    async def token(self, claims: Mapping[str, object], **more: object) -> str:
        """Have somebody's access token signed."""
        url = f"http://127.0.0.1:{self.world.ports.idp}/dev/token"
        answer = await ask(self.session, "POST", url, {"directory": "contoso", "claims": claims, **more}, {})
        return str(answer["access_token"])

    @property
    def _tenant(self) -> str:
        return f"tenants/{self.tenant}"

    async def _page(self, cursor: str, by: int) -> Any:
        more = f"&cursor={cursor}" if cursor else ""
        return await self.call("GET", f"{self._tenant}/members?limit={_PAGE}{more}", by=by)

    async def _list_all(self, by: int) -> None:
        page = await self._page("", by)
        found = len(page["items"])
        while page["next"]:
            page = await self._page(page["next"], by)
            found += len(page["items"])
        if found < len(self._members):
            raise UnexpectedAnswer(f"a list of {len(self._members)} members shows {found}")

    async def _change_role(self, member: str, by: int) -> None:
        now = self._role.get(member, _ROLES[0])
        self._role[member] = to = _ROLES[now == _ROLES[0]]
        await self.call("PATCH", f"{self._tenant}/members/{member}/roles/{now}", {"to": to}, by=by)

    async def _person(self, name: str) -> Person:
        address = f"{name}@contoso.test"
        claims = {"oid": name, "name": name, "email": address, "preferred_username": address, "xms_edov": True}
        return Person(address, await self.token(claims))


async def ask(session: aiohttp.ClientSession, method: str, url: str, body: object, headers: Mapping[str, str]) -> Any:
    """Send a request, and give the body of the answer; raise UnexpectedAnswer for a refusal."""
    async with session.request(method, url, json=body, headers=headers) as response:
        if response.status == HTTPStatus.SERVICE_UNAVAILABLE:
            raise Busy(f"{method} {url} answered 503: {await response.text()}")
        if not response.ok:
            raise UnexpectedAnswer(f"{method} {url} answered {response.status}: {await response.text()}")
        return await response.json(content_type=None)


async def _each[Item, Result](work: Any, items: Iterable[Item]) -> list[Result]:
    """Do something with each item, a few at once, in order."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(item: Item) -> Result:
        async with room:
            return await work(item)  # type: ignore[no-any-return]

    return list(await asyncio.gather(*map(one, items)))
