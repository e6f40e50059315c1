"""
A machine that does to a tenant whatever can be done, in any order and two things at a time.

After each step the tenant is what the model of `tests.domain.model` says, and what must always hold does hold. The
machine knows only what every store promises, so it runs on each of them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.domain import remote_access, removal, roles
from shared.domain.access import grant_for, permissions_in, permissions_of
from shared.domain.adding import Piece, Result, Target, add, each_once, typed
from shared.domain.catalogue import Action, Catalogue, Scope
from shared.domain.change import Actor, Change, Edit, Facts
from shared.domain.errors import Forbidden, NotFound, Refusal
from shared.domain.invitations import resend
from shared.domain.keys import Secret
from shared.domain.membership import Invitation, Member, Status
from shared.domain.principals import API_KEYS, Address, Identity, Kind, MemberId, ProjectId, RoleId, TenantId
from shared.domain.project_lifecycle import create_project, delete_project, rename_project
from shared.domain.projects import Project
from shared.domain.sign_in import group_identities, sign_in
from shared.domain.tenant_changes import change_tenant
from shared.domain.tenants import TenantSettings
from shared.storage import rows, tenant_store
from shared.storage.tenant_store import Author, MemberFilter, Page, Tenants, TenantStore, Wanted
from tests import people
from tests.domain.model import ASSIST, CLASSIC, INTEGRATE, Arrival, Entry, Model, Product

NAMES = ("ada", "bo", "cy", "dee", "eve", "fay")
GROUPS = ("red", "blue")
some = st.integers(0, 30)
"""Which one of several: they are counted through, as often as it takes."""
START = people.AT
MANAGE = Action.MANAGE_MEMBERS


@dataclass(frozen=True)
class Doing:
    """Something to do: the decision, what it has to know, and what the doer has to be allowed."""

    decide: Callable[[Facts, Actor], Change[Any]]
    wanted: Wanted
    action: Action = MANAGE
    project: ProjectId | None = None


class TenantMachine(RuleBasedStateMachine):
    """The machine. `world` opens the tenants of a store, for a clock, and `clear` does what is done in background."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.runner = asyncio.Runner()
        self.tenants: Tenants = self.run(self.world(lambda: self.now))
        self.known: dict[str, MemberId] = {}
        """The members that the model's handles stand for."""
        self.places: dict[str, ProjectId] = {}
        """The projects that the model's names stand for."""
        self.audit = 0
        self.told: list[Entry] = []
        self.last_administrators = 0

    async def world(self, now: Callable[[], datetime]) -> Tenants:
        """Open the tenants of a store."""
        raise NotImplementedError

    async def clear(self, store: TenantStore) -> None:
        """Do what is left to do in the background."""

    async def close(self) -> None:
        """Let go of the store."""

    def run[T](self, doing: Coroutine[Any, Any, T]) -> T:
        """Wait for something."""
        return self.runner.run(doing)

    def teardown(self) -> None:
        """Let go of everything."""
        try:
            self.run(self.close())
        finally:
            self.runner.close()

    # The beginning

    @initialize(product=st.sampled_from([INTEGRATE, INTEGRATE, ASSIST, CLASSIC]))
    def found(self, product: Product) -> None:
        """Found a tenant with some of everybody, and with one project where the product has any."""
        event(product.name)
        self.model = Model(product, self.now)
        self.catalogue: Catalogue = people.product(product.name)
        tenant = replace(
            people.tenant_of(self.catalogue),
            id=TenantId(f"t{uuid4().hex}"),
            settings=TenantSettings(user_lookup=True, group_lookup=True),
        )
        aged = (replace(it, created_at=START - timedelta(hours=at)) for at, it in enumerate(cast(product)))
        edits = tuple(Edit(None, it) for it in aged)
        projects = (Edit(None, people.LAB),) if product.project_roles else ()
        self.places = {"p0": people.LAB.id} if product.project_roles else {}
        founding = Change(tenant, edits, projects=projects, tenant=tenant)
        self.run(self.tenants.found(people.facts(tenant=tenant), founding, people.OPERATOR))
        self.store = self.run(self.tenants.open(tenant.id))
        self.learn()
        self.told = self.recorded()

    # Choosing

    def one(self, which: int, *, kind: str | None = None) -> str:
        """Choose a member; one who was removed, every now and then."""
        there = [name for name, entry in self.model.entries.items() if kind in {None, entry.kind}]
        gone = [name for name in self.known if name not in self.model.entries]
        everybody = gone if gone and which % 9 == 0 else there or ["m0"]
        return everybody[which % len(everybody)]

    def actor(self, which: int, project: str | None = None) -> str:
        """Choose who does it: mostly somebody who may."""
        may = [name for name in self.model.entries if self.model.may(name, project)]
        return may[which % len(may)] if may and which % 5 else self.one(which)

    def role(self, which: int) -> str:
        """Choose a role of the tenant."""
        return self.model.product.roles[which % len(self.model.product.roles)]

    def project_role(self, which: int) -> str:
        """Choose a role of projects."""
        return self.model.product.project_roles[which % len(self.model.product.project_roles)]

    def project(self, which: int) -> str:
        """Choose a project; one that was deleted, every now and then."""
        there = sorted(self.model.projects)
        every = there if there and which % 9 else list(self.places)
        return every[which % len(every)]

    # Adding

    @rule(actor=some, name=st.integers(0, 5), how=st.sampled_from(["typed", "picked", "unnamed"]), to=some)
    def add_person(self, actor: int, name: int, how: str, to: int) -> None:
        """Invite somebody, typed or picked from the directory, or give them a role."""
        who = named(name, how)
        self.add(self.actor(actor), self.role(to), None, who, person(**who))

    @precondition(lambda self: self.model.product.shared)
    @rule(actor=some, group=st.sampled_from(GROUPS), to=some)
    def add_group(self, actor: int, group: str, to: int) -> None:
        """Add a group."""
        self.add(self.actor(actor), self.role(to), None, {"group": group}, team(group))

    @precondition(lambda self: self.model.product.shared)
    @rule(actor=some, which=some, to=some)
    def add_key(self, actor: int, which: int, to: int) -> None:
        """Give a key a role."""
        key = self.one(which, kind="apiKey")
        piece = Piece(key, Kind.API_KEY, key=self.known[key])
        self.add(self.actor(actor), self.role(to), None, {"key": key}, piece, keys={key})

    @precondition(lambda self: self.places)
    @rule(actor=some, name=st.integers(0, 5), how=st.sampled_from(["typed", "picked"]), where=some, to=some)
    def add_person_to_project(self, actor: int, name: int, how: str, where: int, to: int) -> None:
        """Add somebody to a project."""
        who, project = named(name, how), self.project(where)
        self.add(self.actor(actor, project), self.project_role(to), project, who, person(**who))

    @precondition(lambda self: self.places)
    @rule(actor=some, group=st.sampled_from(GROUPS), where=some, to=some)
    def add_group_to_project(self, actor: int, group: str, where: int, to: int) -> None:
        """Add a group to a project."""
        project = self.project(where)
        self.add(self.actor(actor, project), self.project_role(to), project, {"group": group}, team(group))

    def add(
        self, actor: str, role: str, project: str | None, who: Mapping[str, str], piece: Piece, keys: Iterable[str] = ()
    ) -> None:
        """Add what a piece names, and compare."""
        place = self.places[project] if project else None
        found = self.catalogue.project_role if project else self.catalogue.application_role
        target = Target(found(RoleId(role)), place)
        wanted = Wanted(
            members=frozenset(self.known[key] for key in keys),
            identities=frozenset({piece.identity} if piece.identity else ()),
            addresses=frozenset({piece.address} if piece.address else ()),
            projects=frozenset({place} if place else ()),
        )
        action = Action.MANAGE_PROJECT_MEMBERS if project else MANAGE
        doing = Doing(lambda facts, by: add(facts, each_once([piece]), target, actor=by), wanted, action, place)
        self.compare(actor, doing, lambda model: model.add(actor, role, project, **who))

    @rule(actor=some, which=some)
    def send_again(self, actor: int, which: int) -> None:
        """Send an invitation again."""
        member = self.one(which)
        doing = self.about(member, lambda facts, _: resend(facts, self.known[member]))
        by = self.actor(actor)
        self.compare(by, doing, lambda model: model.resend(by, member))

    # Roles

    @rule(actor=some, which=some, to=some)
    def assign(self, actor: int, which: int, to: int) -> None:
        """Give a role."""
        member, role, by = self.one(which), self.role(to), self.actor(actor)
        given = self.catalogue.application_role(RoleId(role))
        doing = self.about(member, lambda facts, it: roles.assign(facts, self.known[member], given, actor=it))
        self.compare(by, doing, lambda model: model.assign(by, member, role))

    @rule(actor=some, which=some, held=some, to=some)
    def change(self, actor: int, which: int, held: int, to: int) -> None:
        """Replace a role."""
        member, by = self.one(which), self.actor(actor)
        role, other = self.held(member, held), self.role(to)
        self.compare(by, self.changing(member, role, other), lambda model: model.change(by, member, role, other))

    @rule(actor=some, which=some, held=some, with_projects=st.booleans())
    def revoke(self, actor: int, which: int, held: int, *, with_projects: bool) -> None:
        """Delete a row on a role's tab."""
        member, by = self.one(which), self.actor(actor)
        role = self.held(member, held)
        given = self.catalogue.application_role(RoleId(role))
        doing = self.about(
            member,
            lambda facts, it: removal.revoke(facts, self.known[member], given, actor=it, with_projects=with_projects),
        )
        self.compare(by, doing, lambda model: model.revoke(by, member, role, with_projects=with_projects))

    @rule(actor=some, which=some)
    def remove(self, actor: int, which: int) -> None:
        """Remove a member."""
        member, by = self.one(which), self.actor(actor)
        self.compare(by, self.removing(member), lambda model: model.remove(by, member))

    def held(self, member: str, which: int) -> str:
        """Choose a role that somebody holds, or any other one now and then."""
        entry = self.model.entries.get(member)
        return entry.roles[which % len(entry.roles)] if entry and entry.roles and which % 7 else self.role(which)

    def about(self, member: str, decide: Callable[[Facts, Actor], Change[Any]]) -> Doing:
        """Do something about one member, and know all around."""
        return Doing(decide, Wanted(members=frozenset({self.known[member]}), around=True, keys=True))

    def removing(self, member: str) -> Doing:
        """Remove somebody."""
        return self.about(member, lambda facts, it: removal.remove(facts, self.known[member], actor=it))

    def changing(self, member: str, role: str, other: str) -> Doing:
        """Replace somebody's role."""
        one, to = (self.catalogue.application_role(RoleId(each)) for each in (role, other))
        return self.about(member, lambda facts, it: roles.change(facts, self.known[member], one, to, actor=it))

    # Projects

    @precondition(lambda self: self.model.product.project_roles and len(self.places) < 5)
    @rule(actor=some)
    def create_project(self, actor: int) -> None:
        """Create a project."""
        name, by = f"p{len(self.places)}", self.actor(actor)
        made: list[ProjectId] = []

        def decide(facts: Facts, it: Actor) -> Change[Any]:
            change = create_project(facts, name, [], actor=it)
            made.append(change.answer.project.id)
            return change

        doing = Doing(decide, Wanted(), Action.CREATE_PROJECTS)
        self.places[name] = ProjectId("none")
        if self.compare(by, doing, lambda model: model.create_project(by, name)) == "done":
            self.places[name] = made[-1]
        else:
            del self.places[name]

    @precondition(lambda self: self.places)
    @rule(actor=some, where=some)
    def rename_project(self, actor: int, where: int) -> None:
        """Give a project another name."""
        project = self.project(where)
        by = self.actor(actor, project)
        place = self.places[project]
        decide = partial(self._renamed, place)
        self.compare(by, self.within(place, decide), lambda model: model.rename_project(by, project))

    def _renamed(self, place: ProjectId, facts: Facts, _: Actor) -> Change[Any]:
        return rename_project(facts, place, f"{self.now:%H%M%S}")

    @precondition(lambda self: self.model.projects)
    @rule(actor=some, where=some)
    def delete_project(self, actor: int, where: int) -> None:
        """Delete a project."""
        project = self.project(where)
        by = self.actor(actor, project)
        place = self.places[project]
        doing = self.within(place, lambda facts, _: delete_project(facts, place))
        self.compare(by, doing, lambda model: model.delete_project(by, project))

    @precondition(lambda self: self.places)
    @rule(actor=some, which=some, where=some, to=some)
    def assign_in(self, actor: int, which: int, where: int, to: int) -> None:
        """Give a role in a project."""
        project, member, role = self.project(where), self.one(which), self.project_role(to)
        by = self.actor(actor, project)
        place, given = self.places[project], self.catalogue.project_role(RoleId(role))
        doing = self.within(place, lambda facts, _: roles.assign_in(facts, self.known[member], place, given), member)
        self.compare(by, doing, lambda model: model.assign_in(by, member, project, role))

    @precondition(lambda self: self.places)
    @rule(actor=some, which=some, where=some, held=some, to=some)
    def change_in(self, actor: int, which: int, where: int, held: int, to: int) -> None:
        """Replace a role in a project."""
        project, member = self.project(where), self.one(which)
        by = self.actor(actor, project)
        role, other = self.held_in(member, project, held), self.project_role(to)
        place = self.places[project]
        one, given = (self.catalogue.project_role(RoleId(each)) for each in (role, other))
        doing = self.within(
            place, lambda facts, _: roles.change_in(facts, self.known[member], place, one, given), member
        )
        self.compare(by, doing, lambda model: model.change_in(by, member, project, role, other))

    @precondition(lambda self: self.places)
    @rule(actor=some, which=some, where=some, held=some, wholly=st.booleans())
    def revoke_in(self, actor: int, which: int, where: int, held: int, *, wholly: bool) -> None:
        """Take a role in a project, or all of them."""
        project, member = self.project(where), self.one(which)
        by = self.actor(actor, project)
        role = None if wholly else self.held_in(member, project, held)
        place, given = self.places[project], self.catalogue.project_role(RoleId(role)) if role else None
        doing = self.within(place, lambda facts, _: removal.revoke_in(facts, self.known[member], place, given), member)
        self.compare(by, doing, lambda model: model.revoke_in(by, member, project, role))

    def held_in(self, member: str, project: str, which: int) -> str:
        """Choose a role that somebody holds in a project, or any other one now and then."""
        entry = self.model.entries.get(member)
        held = entry.projects.get(project) if entry else None
        return held[which % len(held)] if held and which % 7 else self.project_role(which)

    def within(
        self, place: ProjectId, decide: Callable[[Facts, Actor], Change[Any]], member: str | None = None
    ) -> Doing:
        """Do something in a project."""
        members = frozenset({self.known[member]} if member else ())
        action = Action.MANAGE_PROJECT_MEMBERS if member else Action.MANAGE_PROJECT
        return Doing(decide, Wanted(members=members, projects=frozenset({place}), around=True), action, place)

    # Keys

    @precondition(lambda self: len([it for it in self.model.entries.values() if it.kind == "apiKey"]) < 3)
    @rule(actor=some)
    def issue_key(self, actor: int) -> None:
        """Issue a key."""
        new = remote_access.NewKey(MemberId(uuid4().hex), Secret("hash", "1"), "Robot", None)
        doing = Doing(lambda facts, it: remote_access.issue(facts, new, actor=it), Wanted(), Action.MANAGE_KEYS)
        by = self.actor(actor)
        self.compare(by, doing, lambda model: model.issue(by))

    @precondition(lambda self: self.model.product.shared)
    @rule(actor=some, which=some)
    def rotate_key(self, actor: int, which: int) -> None:
        """Give a key another secret."""
        key, by, secret = self.one(which, kind="apiKey"), self.actor(actor), Secret("other", "1")
        doing = self.about(
            key, lambda facts, it: remote_access.rotate(facts, self.known[key], secret, timedelta(hours=1), actor=it)
        )
        self.compare(by, replace(doing, action=Action.MANAGE_KEYS), lambda model: model.rotate(by, key))

    @precondition(lambda self: self.model.product.shared)
    @rule(actor=some, which=some)
    def delete_key(self, actor: int, which: int) -> None:
        """Delete a key."""
        key, by = self.one(which, kind="apiKey"), self.actor(actor)
        doing = self.about(key, lambda facts, it: remote_access.delete(facts, self.known[key], actor=it))
        self.compare(by, replace(doing, action=Action.MANAGE_KEYS), lambda model: model.delete_key(by, key))

    # The tenant, and time

    @rule(actor=some, days=st.sampled_from([None, 1, 2]), domains=st.sampled_from([(), ("contoso.test",), ("x.test",)]))
    def change_settings(self, actor: int, days: int | None, domains: tuple[str, ...]) -> None:
        """Change how long invitations stay open, and to whom they go."""
        by = self.actor(actor)

        def decide(facts: Facts, it: Actor) -> Change[Any]:
            settings = replace(facts.tenant.settings, invitation_days=days, allowed_email_domains=domains)
            return change_tenant(facts, replace(facts.tenant, settings=settings), actor=it)

        self.compare(by, Doing(decide, Wanted()), lambda model: model.settle(by, days, frozenset(domains)))

    @rule(hours=st.sampled_from([1, 12, 30]))
    def wait(self, hours: int) -> None:
        """Let time pass: invitations expire by themselves."""
        self.pass_time(timedelta(hours=hours))

    def pass_time(self, time: timedelta) -> None:
        """Set the clocks."""
        self.now += time
        self.model.now = self.now

    # Signing in

    @rule(
        name=st.integers(0, 5),
        under=st.sampled_from(["their own", "one that waits", "another"]),
        which=some,
        proven=st.sampled_from([True, True, False]),
        groups=st.sampled_from([None, (), ("red",), ("red", "blue")]),
    )
    def arrive(self, name: int, under: str, which: int, *, proven: bool, groups: tuple[str, ...] | None) -> None:
        """Let somebody sign in, under their own address or another one, proven or not."""
        self.arrive_under(name, under, which, proven=proven, groups=groups)

    def arrive_under(self, name: int, under: str, which: int, *, proven: bool, groups: tuple[str, ...] | None) -> None:
        """Sign somebody in, and compare."""
        waiting = [it.address for it in self.model.entries.values() if not it.active and it.address]
        addresses = {
            "their own": address(name),
            "one that waits": waiting[which % len(waiting)] if waiting else None,
            "another": address(which % len(NAMES)),
        }
        who = self.arrival(name, addresses[under], proven=proven, groups=groups)
        self.compare_with(lambda: self.signing_in(who), lambda model: model.sign_in(who), told=self.is_there)

    @rule(name=st.integers(0, 5), which=some, groups=st.sampled_from([None, None, ("red",)]))
    def arrive_where_somebody_is_invited(self, name: int, which: int, groups: tuple[str, ...] | None) -> None:
        """Let somebody sign in under an address that an invitation waits under: theirs, or somebody else's."""
        self.arrive_under(name, "one that waits", which, proven=True, groups=groups)

    def arrival(self, name: int, under: str | None, *, proven: bool, groups: tuple[str, ...] | None) -> Arrival:
        """Think of a sign-in."""
        told = None if groups is None else frozenset(groups)
        return Arrival(NAMES[name], under, proven=bool(under) and proven, groups=told)

    async def signing_in(self, who: Arrival) -> Any:
        """Sign in, as the function does."""
        subjects = None if who.groups is None else frozenset(identity(group).subject for group in who.groups)
        person = people.signing_in(
            who.identity, address=who.address, proof="proof" if who.proven else None, groups=subjects
        )
        wanted = Wanted(
            identities=frozenset({person.identity, *group_identities(person)}),
            addresses=frozenset({Address(str(who.address))} if who.address else ()),
            around=True,
        )
        change = await tenant_store.change(
            self.store, lambda facts: sign_in(facts, person), wanted=wanted, author=lambda _: people.OPERATOR
        )
        return change.answer

    @staticmethod
    def is_there(answer: Member | None) -> str:
        """Tell whether the person is a member then."""
        return "member" if answer else "nobody"

    # Two at a time

    @rule(first=some, second=some, ways=st.tuples(st.booleans(), st.booleans()))
    def turn_on_each_other(self, first: int, second: int, ways: tuple[bool, bool]) -> None:
        """Let two remove or demote each other: one of them must stay."""
        one, other = self.actor(first), self.actor(second)
        against, back = (self.removing if way else self.lowering for way in ways)
        self.at_once(self.do(one, against(other)), self.do(other, back(one)))

    @rule(first=some, second=some, ways=st.tuples(st.booleans(), st.booleans()))
    def turn_on_both(self, first: int, second: int, ways: tuple[bool, bool]) -> None:
        """Let somebody from outside remove or demote two at the same time: one administrator must stay."""
        one, other = self.actor(first), self.actor(second)
        against, too = (self.removing if way else self.lowering for way in ways)
        self.at_once(self.do_as_operator(against(one)), self.do_as_operator(too(other)))

    def lowering(self, member: str) -> Doing:
        """Give somebody the lowest role in place of the top one."""
        return self.changing(member, self.model.product.top, self.model.product.roles[0])

    @rule(actor=some, which=some, to=some, name=st.integers(0, 5), groups=st.sampled_from([None, ("red",)]))
    def change_while_somebody_comes(
        self, actor: int, which: int, to: int, name: int, groups: tuple[str, ...] | None
    ) -> None:
        """Let somebody sign in while another one is removed, given a role, and invited."""
        member, by = self.one(which), self.actor(actor)
        given = self.catalogue.application_role(RoleId(self.role(to)))
        assigning = self.about(member, lambda facts, it: roles.assign(facts, self.known[member], given, actor=it))
        who = self.arrival(name, address(name), proven=True, groups=groups)
        inviting = Doing(
            lambda facts, it: add(facts, [*typed(address(name))], Target(given), actor=it),
            Wanted(addresses=frozenset({Address(address(name))})),
        )
        self.at_once(
            self.signing_in(who), self.do(by, self.removing(member)), self.do(by, assigning), self.do(by, inviting)
        )

    @precondition(lambda self: self.model.projects)
    @rule(actor=some, which=some, where=some, to=some)
    def come_into_a_project_that_goes(self, actor: int, which: int, where: int, to: int) -> None:
        """Delete a project while somebody is put into it."""
        project, member = self.project(where), self.one(which)
        by = self.actor(actor, project)
        place, given = self.places[project], self.catalogue.project_role(RoleId(self.project_role(to)))
        joining = self.within(place, lambda facts, _: roles.assign_in(facts, self.known[member], place, given), member)
        leaving = self.within(place, lambda facts, _: delete_project(facts, place))
        self.at_once(self.do(by, joining), self.do(by, leaving))

    def at_once(self, *doings: Awaitable[Any]) -> None:
        """Do several things at the same time; whatever came of them is what the model goes on with."""

        async def together() -> Sequence[Any]:
            outcomes = await asyncio.gather(*doings, return_exceptions=True)
            await self.clear(self.store)
            return outcomes

        self.pass_time(timedelta(seconds=1))
        for outcome in self.run(together()):
            if isinstance(outcome, BaseException) and not isinstance(outcome, Refusal):
                raise outcome
        self.learn()

    # Doing, and comparing

    async def do(self, actor: str, doing: Doing) -> Any:
        """Do something in a member's name, as a request does."""
        name = self.known[actor]

        def author(facts: Facts) -> Author:
            member = facts.members.get(name)
            if member is None or member.status is not Status.ACTIVE:
                raise NotFound
            if doing.project:
                facts.project(doing.project)
            grant = grant_for(facts, member, doing.action, doing.project)
            if grant is None:
                raise Forbidden
            return Author(Actor(member.ref, member), "request", grant)

        wanted = doing.wanted | Wanted(members=frozenset({name}))
        change = await tenant_store.change(
            self.store, lambda facts: doing.decide(facts, author(facts).actor), wanted=wanted, author=author
        )
        return change.answer

    async def do_as_operator(self, doing: Doing) -> Any:
        """Do something in nobody's name, whom no rule about oneself stops."""
        change = await tenant_store.change(
            self.store,
            lambda facts: doing.decide(facts, people.OLGA),
            wanted=doing.wanted,
            author=lambda _: people.OPERATOR,
        )
        return change.answer

    def compare(self, actor: str, doing: Doing, expected: Callable[[Model], str]) -> str:
        """Do something, and let the model do it."""
        return self.compare_with(lambda: self.do(actor, doing), expected)

    def compare_with(
        self,
        doing: Callable[[], Coroutine[Any, Any, Any]],
        expected: Callable[[Model], str],
        *,
        told: Callable[[Any], str] | None = None,
    ) -> str:
        """Do something, let the model do it, and compare outcome and tenant; tell what became of it."""
        self.pass_time(timedelta(seconds=1))
        foreseen, after = self.model.tried(expected)
        outcome = self.run(self._outcome(doing, told))
        assert outcome == foreseen, f"{outcome}, not {foreseen}"
        event(outcome)
        self.model = after
        self._recognise()
        return outcome

    async def _outcome(self, doing: Callable[[], Coroutine[Any, Any, Any]], told: Callable[[Any], str] | None) -> str:
        try:
            answer = await doing()
        except Refusal as refusal:
            return type(refusal).__name__
        await self.clear(self.store)
        return told(answer) if told else _spelt(answer)

    def _recognise(self) -> None:
        """Find out which member a new handle stands for: there is one at most."""
        new = [name for name in self.model.entries if name not in self.known]
        strangers = [member for member in self.run(self.members()) if member not in self.known.values()]
        assert len(new) == len(strangers)
        self.known.update(zip(new, strangers, strict=True))

    def learn(self) -> None:
        """Make the model of what there is now."""
        members, projects = self.run(self.members()), self.run(self.all_projects())
        names = {place: name for name, place in self.places.items()}
        handles = {member: name for name, member in self.known.items()}
        for member in members:
            handles.setdefault(member, self.model.handle())
        self.known = {name: member for member, name in handles.items()}
        gone = [name for name in self.model.entries if self.known[name] not in members]
        self.model.deleted |= {name for name in gone if self.model.entries[name].kind == "apiKey"}
        self.model.entries = {
            handles[it.id]: entry_of(it, handles, names)
            for it in sorted(members.values(), key=lambda it: (it.created_at, it.id))
        }
        self.model.projects = {names[project.id] for project in projects}
        for it in members.values():
            if it.email and it.mailed.day == self.now.date():
                self.model.mails[it.email, it.mailed.day] = it.mailed.count

    # What there is

    async def members(self) -> dict[MemberId, Member]:
        """Read all members, whole."""
        listed = await _all(lambda after: self.store.members(MemberFilter(), limit=100, after=after))
        keys = await _all(lambda after: self.store.keys(limit=100, after=after))
        ids = frozenset(member.id for member in (*listed, *keys))
        return dict((await self.store.read(Wanted(members=ids))).facts.members)

    async def all_projects(self) -> list[Project]:
        """Read all projects."""
        return await _all(lambda after: self.store.projects(search=None, limit=100, after=after))

    async def records(self) -> int:
        """Count the records of the audit; each of them tells something."""
        told = await _all(lambda after: self.store.records(target=None, action=None, limit=100, after=after))
        assert [each for each in told if each.before == each.after] == []
        return len(told)

    # What must always hold

    @invariant()
    def all_is_well(self) -> None:
        """Look at the tenant, and check what must hold."""
        self.seen = self.run(self.look())
        for check in (
            self.the_tenant_is_what_the_model_says,
            self.the_audit_loses_nothing,
            self.administrators_never_become_none,
            self.owners_are_counted,
            self.one_person_is_one_member,
            self.roles_are_of_their_scope_and_kind,
            self.who_is_not_in_may_do_nothing,
            self.deleted_keys_never_come_back,
        ):
            check()
        self.run(self.judge(self.store, self.seen))

    async def look(self) -> "Seen":
        """Read all that there is."""
        facts = (await self.store.read(Wanted(members=frozenset(self.known.values())))).facts
        return Seen(facts, await self.members(), await self.all_projects(), await self.records())

    async def judge(self, store: TenantStore, seen: "Seen") -> None:
        """Check what only one store can tell."""

    def the_tenant_is_what_the_model_says(self) -> None:
        """Find the members with their roles, projects and groups, and nobody else."""
        handles = {member: name for name, member in self.known.items()}
        names = {place: name for name, place in self.places.items()}
        there = {handles[it.id]: shown(entry_of(it, handles, names)) for it in self.seen.members.values()}
        expected = {name: shown(entry) for name, entry in self.model.entries.items()}
        assert there == expected, f"there is {there}, not {expected}"
        assert {names[project.id] for project in self.seen.projects} == self.model.projects

    def the_audit_loses_nothing(self) -> None:
        """Compare with the last look: whatever was changed in between is recorded (R26)."""
        told = self.recorded()
        assert self.seen.records >= self.audit + (told != self.told)
        self.audit, self.told = self.seen.records, told

    def recorded(self) -> list[Entry]:
        """Tell all of members that the audit knows."""
        return [shown(entry) for _, entry in sorted(self.model.entries.items())]

    def administrators_never_become_none(self) -> None:
        """Count them: from one to none there is no way, and the number that is kept is right (R16)."""
        top = self.catalogue.top_role
        people = [it for it in self.seen.members.values() if it.kind is Kind.USER and it.status is Status.ACTIVE]
        real = sum(top in it.roles for it in people)
        assert self.seen.facts.administrators == real
        assert real or not self.last_administrators
        self.last_administrators = real

    def owners_are_counted(self) -> None:
        """Count them, so that a project without any shows (R22)."""
        owner = self.catalogue.creator_role
        for project in self.seen.projects:
            assert project.owners == sum(owner in it.roles_in(project.id) for it in self.seen.members.values())

    def one_person_is_one_member(self) -> None:
        """Find nobody twice, by address or by identity (R3), and no two members in one row."""
        members = self.seen.members.values()
        addresses = [it.email for it in members if it.email and it.kind is Kind.USER]
        identities = [it.identity for it in members if it.identity]
        keys = [key for it in members for key in rows.rows_of(it)]
        assert len(set(addresses)) == len(addresses)
        assert len(set(identities)) == len(identities)
        assert len(set(keys)) == len(keys)

    def roles_are_of_their_scope_and_kind(self) -> None:
        """Find no role of a project in the tenant, nor the reverse, nor one that the kind cannot have (R6)."""
        for it in self.seen.members.values():
            held = [self.catalogue.role_in(Scope.TENANT, role) for role in it.roles]
            places = [role for place in it.projects.values() for role in place.roles]
            inside = [self.catalogue.role_in(Scope.PROJECT, role) for role in places]
            assert all(role and it.kind in role.kinds for role in (*held, *inside))
            assert len(held) <= 1 or not self.catalogue.single_role

    def who_is_not_in_may_do_nothing(self) -> None:
        """Ask for the permissions of the invited, and for those who were removed (R12, R18)."""
        facts = self.seen.facts
        for it in self.seen.members.values():
            if it.status is Status.INVITED:
                inside = [permission for project in it.projects for permission in permissions_in(facts, it, project)]
                assert (*permissions_of(facts, it), *inside) == ()
        gone = {member for name, member in self.known.items() if name not in self.model.entries}
        assert not gone & facts.members.keys()

    def deleted_keys_never_come_back(self) -> None:
        """Ask for all of them: their ids are used up (R19)."""
        assert self.seen.facts.deleted == {self.known[name] for name in self.model.deleted}


@dataclass(frozen=True)
class Seen:
    """All that there is in a tenant; `facts` are about everybody who ever was a member."""

    facts: Facts
    members: Mapping[MemberId, Member]
    projects: Sequence[Project]
    records: int


def cast(product: Product) -> list[Member]:
    """Make two administrators, somebody lower, two who are invited and, where there are such, a group and a key."""
    top, low = RoleId(product.top), RoleId(product.roles[0])
    ada, dee = people.active("ada", top, email=address(0)), people.active("dee", top, email=address(3))
    cy, bo = people.active("cy", low, email=address(2)), people.invited("bo", low, email=address(1))
    soon = Invitation(open_until=START + timedelta(days=1))
    fay = people.invited("fay", low, email=address(5), identity=identity("fay"), invitation=soon)
    if not product.shared:
        return [ada, dee, cy, bo, fay]
    red = people.shared("red", Kind.GROUP, identity=identity("red"), roles=(top,))
    eve = people.active("eve", email=address(4), roles=(), groups=(red.id,))
    cy, bo = (people.inside(it, people.OWNER) for it in (cy, bo))
    return [ada, dee, cy, bo, fay, red, eve, people.key("Robot", top)]


def address(number: int) -> str:
    """Tell an address; one of them is of another domain."""
    return f"{NAMES[number]}@{'x' if number == 4 else 'contoso'}.test"


def identity(name: str) -> Identity:
    """Tell who somebody is in their directory."""
    return people.identity_of(name)


def named(number: int, how: str) -> dict[str, str]:
    """Say who is meant, in the model's words: by address, from the directory, or from one that knows no address."""
    by_identity, by_address = {"identity": NAMES[number]}, {"address": address(number)}
    return {"typed": by_address, "picked": by_identity | by_address, "unnamed": by_identity}[how]


def person(**who: str) -> Piece:
    """Say who is meant, in the domain's words."""
    found = identity(who["identity"]) if "identity" in who else None
    given = Address(who["address"]) if "address" in who else None
    return Piece("somebody", address=given, identity=found, name=who.get("identity"))


def team(group: str) -> Piece:
    """Pick a group from the directory."""
    return Piece(group, Kind.GROUP, identity=identity(group), name=group)


def entry_of(member: Member, handles: Mapping[MemberId, str], names: Mapping[ProjectId, str]) -> Entry:
    """Say in the model's words what a member is."""
    subject = member.identity.subject.removesuffix("-in-contoso") if member.identity else None
    return Entry(
        kind=member.kind,
        born=int(member.created_at.timestamp()),
        active=member.status is Status.ACTIVE,
        address=member.email,
        identity=None if member.identity and member.identity.directory == API_KEYS else subject,
        roles=list(member.roles),
        projects={names[project]: list(place.roles) for project, place in member.projects.items()},
        groups={handles.get(group, group) for group in member.groups},
        ends=member.invitation.open_until if member.invitation else None,
    )


def shown(entry: Entry) -> Entry:
    """Leave out what the model numbers in its own way, and the order of roles."""
    projects = {project: sorted(held) for project, held in entry.projects.items()}
    return replace(entry, born=0, roles=sorted(entry.roles), projects=projects)


def _spelt(answer: Any) -> str:
    """Spell what became of the one piece of a request; of anything else only that it was done."""
    if not (isinstance(answer, tuple) and answer and isinstance(answer[0], Result)):
        return "done"
    (result,) = answer
    return type(result.refusal).__name__ if result.refusal else str(result.outcome)


async def _all[T](page: Callable[[str | None], Awaitable[Page[T]]]) -> list[T]:
    """Read a list to its end."""
    found = await page(None)
    items = list(found.items)
    while found.next is not None:
        found = await page(found.next)
        items += found.items
    return items
