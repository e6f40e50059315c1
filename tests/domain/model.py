"""
A second opinion on the rules of members, projects and keys.

Written without any of the domain's code, from the rules alone, and as simple as a model may be: one tenant, in which
everything happens at once and nothing is stored. What the domain decides must come to the same.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

TOP, OWNER = "administrator", "owner"


class No(Exception):
    """Refuse; the message is the name of the refusal."""


@dataclass(frozen=True)
class Product:
    """The ways in which products differ."""

    name: str
    roles: tuple[str, ...]
    top: str = TOP
    default: str | None = None
    single: bool = False
    creators: frozenset[str] = frozenset()
    everything: frozenset[str] = frozenset()
    project_roles: tuple[str, ...] = ()
    shared: bool = True
    """There are groups and keys."""
    keys_begin_as: str | None = None


INTEGRATE = Product(
    "integrate",
    ("consumer", "project-creator", TOP),
    default="consumer",
    creators=frozenset({"project-creator", TOP}),
    everything=frozenset({TOP}),
    project_roles=(OWNER, "contributor", "manager", "member"),
)
ASSIST = Product(
    "assist",
    ("consumer", "project-creator", TOP),
    default="consumer",
    creators=frozenset({"project-creator", TOP}),
    everything=frozenset({"project-creator", TOP}),
    project_roles=(OWNER, "contributor", "reader"),
    keys_begin_as=TOP,
)
CLASSIC = Product(
    "integrate-classic",
    ("bi-user", "bi-manager", "bi-developer", "group-admin"),
    top="group-admin",
    single=True,
    shared=False,
)


@dataclass
class Entry:
    """A member: `born` in seconds, `identity` and `address` by name; `ends` is when an invitation expires."""

    kind: str
    born: int
    active: bool
    address: str | None = None
    identity: str | None = None
    roles: list[str] = field(default_factory=list)
    projects: dict[str, list[str]] = field(default_factory=dict)
    groups: set[str] = field(default_factory=set)
    ends: datetime | None = None

    @property
    def idle(self) -> bool:
        """Tell whether it holds nothing of its own."""
        return not self.roles and not self.projects


@dataclass(frozen=True)
class Arrival:
    """A sign-in: `groups` is None where the token does not list them all."""

    identity: str
    address: str | None = None
    proven: bool = False
    groups: frozenset[str] | None = None


@dataclass
class Model:
    """The tenant. Members, groups, keys and projects go by handles, which are given out in order."""

    product: Product
    now: datetime
    entries: dict[str, Entry] = field(default_factory=dict)
    projects: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    mails: Counter[tuple[str, date]] = field(default_factory=Counter)
    days: int | None = None
    domains: frozenset[str] = frozenset()
    handles: int = 0

    def tried(self, doing: Callable[["Model"], str]) -> tuple[str, "Model"]:
        """Do something, unless it is refused, and tell what becomes of it: nothing may take the last administrator."""
        after = deepcopy(self)
        try:
            outcome = doing(after)
        except No as no:
            return str(no), self
        return ("LastAdministrator", self) if self.administrators and not after.administrators else (outcome, after)

    # What there is

    @property
    def administrators(self) -> int:
        """Count the active people with the top role."""
        people = (each for each in self.entries.values() if each.kind == "user" and each.active)
        return sum(self.product.top in each.roles for each in people)

    @property
    def second(self) -> int:
        """Tell the time in seconds."""
        return int(self.now.timestamp())

    def expired(self, entry: Entry) -> bool:
        """Tell whether it is an invitation that came to nothing."""
        return not entry.active and entry.ends is not None and entry.ends <= self.now

    def people(self) -> list[str]:
        """List the handles of users."""
        return [name for name, entry in self.entries.items() if entry.kind == "user"]

    def by_address(self, address: str | None) -> str | None:
        """Find who has an address."""
        return next((name for name in self.people() if address and self.entries[name].address == address), None)

    def by_identity(self, identity: str) -> str | None:
        """Find who is bound to an identity."""
        return next((name for name, entry in self.entries.items() if entry.identity == identity), None)

    # Who may

    def acts_as(self, actor: str) -> set[str]:
        """Collect the application roles that count for somebody."""
        entry = self.entries[actor]
        if entry.kind == "apiKey" and not entry.roles and self.product.keys_begin_as:
            return {self.product.keys_begin_as}
        groups = (self.entries[group].roles for group in entry.groups if group in self.entries)
        return set(entry.roles).union(*groups)

    def acts_in(self, actor: str, project: str) -> set[str]:
        """Collect the project roles that count for somebody."""
        entry = self.entries[actor]
        holders = (entry, *(self.entries[group] for group in entry.groups if group in self.entries))
        return {role for holder in holders for role in holder.projects.get(project, ())}

    def enter(self, actor: str, roles: Iterable[str], project: str | None = None) -> None:
        """Refuse strangers, the invited, and who has none of these roles; owners of a project pass too."""
        if actor not in self.entries or not self.entries[actor].active:
            raise No("NotFound")
        if project is not None and project not in self.projects:
            raise No("NotFound")
        if project is not None and (
            self.acts_as(actor) & self.product.everything or OWNER in self.acts_in(actor, project)
        ):
            return
        if project is not None or not self.acts_as(actor) & set(roles):
            raise No("Forbidden")

    def may(self, actor: str, project: str | None = None) -> bool:
        """Tell whether somebody manages members, of the tenant or of a project."""
        try:
            self.enter(actor, {self.product.top}, project)
        except No:
            return False
        return True

    def manage(self, actor: str, member: str | None = None) -> None:
        """Let those pass who manage members, and look the member up."""
        self.enter(actor, {self.product.top})
        if member is not None and member not in self.entries:
            raise No("NotFound")

    def is_key(self, actor: str) -> bool:
        """Tell whether a key asks."""
        return self.entries[actor].kind == "apiKey"

    def _give(self, actor: str, kind: str, role: str) -> None:
        if kind != "user" and not self.product.shared:
            raise No("KindNotAllowed")
        if self.is_key(actor) and role == self.product.top:
            raise No("Forbidden")

    # Adding

    def add(self, actor: str, role: str, project: str | None, **who: str) -> str:
        """Add by `address`, `identity` (with the directory's address, perhaps), `group` or `key`."""
        self.enter(actor, {self.product.top}, project)
        if project is None and self.is_key(actor) and role == self.product.top:
            raise No("Forbidden")
        try:
            return self._add(role, project, **who)
        except No as no:
            return str(no)

    def _add(self, role: str, project: str | None, **who: str) -> str:
        kind = "group" if "group" in who else "apiKey" if "key" in who else "user"
        if kind != "user" and not self.product.shared:
            raise No("KindNotAllowed")
        found = self._find(**who)
        if found is None:
            return self._come(kind, role, project, **who)
        entry = self.entries[found]
        had = deepcopy(entry)
        self._place(entry, role, project)
        if self.expired(entry):
            self._reopen(entry)
            return "invited"
        if had == entry:
            return "unchanged"
        return "added" if kind == "apiKey" and had.idle else "roleAdded"

    def _find(self, **who: str) -> str | None:
        if key := who.get("key"):
            if key in self.deleted:
                raise No("KeyDeleted")
            if key not in self.entries or self.entries[key].kind != "apiKey":
                raise No("NotFound")
            return key
        identity = who.get("identity") or who.get("group")
        named = self.by_identity(identity) if identity else None
        addressed = self.by_address(who.get("address")) if "group" not in who else None
        if named is None and addressed and identity and self.entries[addressed].identity not in {None, identity}:
            raise No("InvalidRequest")
        return named or addressed

    def _come(self, kind: str, role: str, project: str | None, **who: str) -> str:
        address = who.get("address")
        if kind == "user" and address and self.domains and address.partition("@")[2] not in self.domains:
            raise No("EmailDomainNotAllowed")
        entry = Entry(kind, self.second, kind != "user", address, who.get("identity") or who.get("group"))
        self._place(entry, role, project)
        self.entries[self.handle()] = entry
        if kind != "user":
            return "added"
        self._reopen(entry)
        return "invited"

    def handle(self) -> str:
        """Give out a handle."""
        self.handles += 1
        return f"m{self.handles - 1}"

    def _place(self, entry: Entry, role: str, project: str | None) -> None:
        if project is not None:
            if not entry.roles and entry.kind != "apiKey" and self.product.default:
                entry.roles.append(self.product.default)
            held = entry.projects.setdefault(project, [])
            held += [] if role in held else [role]
        elif role not in entry.roles:
            if entry.roles and self.product.single:
                raise No("OneRoleOnly")
            entry.roles.append(role)

    def _reopen(self, entry: Entry) -> None:
        entry.ends = self.now + timedelta(days=self.days) if self.days else None
        if entry.address and self.mails[entry.address, self.now.date()] < 3:
            self.mails[entry.address, self.now.date()] += 1

    def resend(self, actor: str, member: str) -> str:
        """Send an invitation again."""
        self.manage(actor, member)
        entry = self.entries[member]
        if entry.active:
            raise No("NotInvited")
        if entry.address and self.mails[entry.address, self.now.date()] >= 3:
            raise No("TooManyMails")
        self._reopen(entry)
        return "done"

    # Roles

    def assign(self, actor: str, member: str, role: str) -> str:
        """Give one more application role."""
        self.manage(actor, member)
        entry = self.entries[member]
        self._give(actor, entry.kind, role)
        if role not in entry.roles and entry.roles and self.product.single:
            raise No("OneRoleOnly")
        entry.roles += [] if role in entry.roles else [role]
        return "done"

    def change(self, actor: str, member: str, role: str, to: str) -> str:
        """Replace an application role."""
        self.manage(actor, member)
        entry = self.entries[member]
        if role not in entry.roles:
            raise No("RoleNotAssigned")
        if actor == member:
            raise No("CannotChangeOwnRole")
        self._give(actor, entry.kind, to)
        entry.roles = list(dict.fromkeys(to if each == role else each for each in entry.roles))
        return "done"

    def revoke(self, actor: str, member: str, role: str, *, with_projects: bool) -> str:
        """Delete a row on a role's tab."""
        self.manage(actor, member)
        entry = self.entries[member]
        if role not in entry.roles:
            raise No("RoleNotAssigned")
        if entry.kind == "user" or (entry.kind == "apiKey" and entry.roles == [role]):
            return self.remove(actor, member)
        if actor == member:
            raise No("CannotChangeOwnRole")
        entry.roles.remove(role)
        if with_projects:
            entry.projects.clear()
        if entry.kind == "group" and entry.idle:
            del self.entries[member]
        return "done"

    def remove(self, actor: str, member: str) -> str:
        """Remove a member wholly."""
        self.manage(actor, member)
        entry = self.entries[member]
        if actor == member:
            raise No("CannotRemoveSelf")
        if entry.kind == "apiKey" and self.is_key(actor):
            raise No("Forbidden")
        if entry.kind == "user" and entry.active and self.product.single and self.product.top in entry.roles:
            raise No("DemoteFirst")
        self._forget(member)
        return "done"

    def _forget(self, member: str) -> None:
        if self.entries.pop(member).kind == "apiKey":
            self.deleted.add(member)

    # Projects

    def create_project(self, actor: str, project: str) -> str:
        """Create a project and own it."""
        self.enter(actor, self.product.creators)
        self.projects.add(project)
        self.entries[actor].projects[project] = [OWNER]
        return "done"

    def rename_project(self, actor: str, project: str) -> str:
        """Give a project another name."""
        self.enter(actor, (), project)
        return "done"

    def delete_project(self, actor: str, project: str) -> str:
        """Delete a project, and the roles in it."""
        self.enter(actor, (), project)
        self.projects.remove(project)
        for name, entry in list(self.entries.items()):
            inside = entry.projects.pop(project, None)
            if inside and entry.kind == "group" and entry.idle:
                del self.entries[name]
        return "done"

    def assign_in(self, actor: str, member: str, project: str, role: str) -> str:
        """Give a role in a project."""
        entry = self._inside(actor, member, project)
        self._place(entry, role, project)
        return "done"

    def change_in(self, actor: str, member: str, project: str, role: str, to: str) -> str:
        """Replace a role in a project."""
        entry = self._inside(actor, member, project)
        held = entry.projects.get(project, [])
        if role not in held:
            raise No("RoleNotAssigned")
        entry.projects[project] = list(dict.fromkeys(to if each == role else each for each in held))
        return "done"

    def revoke_in(self, actor: str, member: str, project: str, role: str | None) -> str:
        """Take one role in a project, or all of them."""
        entry = self._inside(actor, member, project)
        held = entry.projects.get(project, [])
        if not held or (role and role not in held):
            raise No("RoleNotAssigned")
        entry.projects[project] = [each for each in held if role and each != role]
        if not entry.projects[project]:
            del entry.projects[project]
        if entry.kind == "group" and entry.idle:
            del self.entries[member]
        return "done"

    def _inside(self, actor: str, member: str, project: str) -> Entry:
        self.enter(actor, (), project)
        if member not in self.entries:
            raise No("NotFound")
        return self.entries[member]

    # Keys

    def manage_keys(self, actor: str, key: str | None = None) -> None:
        """Let those pass who manage keys: never a key."""
        self.enter(actor, {self.product.top})
        if self.is_key(actor):
            raise No("Forbidden")
        if key is not None and (key not in self.entries or self.entries[key].kind != "apiKey"):
            raise No("NotFound")

    def issue(self, actor: str) -> str:
        """Issue a key without roles."""
        self.manage_keys(actor)
        if not self.product.shared:
            raise No("KindNotAllowed")
        self.entries[self.handle()] = Entry("apiKey", self.second, active=True)
        return "done"

    def rotate(self, actor: str, key: str) -> str:
        """Give a key another secret."""
        self.manage_keys(actor, key)
        return "done"

    def delete_key(self, actor: str, key: str) -> str:
        """Delete a key for ever."""
        self.manage_keys(actor, key)
        self._forget(key)
        return "done"

    # The tenant

    def settle(self, actor: str, days: int | None, domains: frozenset[str]) -> str:
        """Change settings."""
        self.enter(actor, {self.product.top})
        if self.is_key(actor):
            raise No("Forbidden")
        self.days, self.domains = days, domains
        return "done"

    # Signing in

    def sign_in(self, who: Arrival) -> str:
        """Turn what waits for a person into one member; tell whether they are one then."""
        me = next((name for name in self.people() if self._is(name, who) and self.entries[name].active), None)
        waiting = sorted(
            (name for name in self.people() if self._waits_for(name, who)), key=lambda name: self.entries[name].born
        )
        named = self.by_identity(who.identity)
        late = [named] if named and named != me and named not in waiting else []
        self._release(who)
        groups = self._groups(who, me)
        if waiting:
            kept, *merged = [me, *waiting] if me else waiting
            return self._merge(kept, merged, late, who, groups)
        if me is None:
            return self._arrive(who, groups, late) if groups else "nobody"
        entry = self.entries[me]
        if entry.groups and not groups and entry.idle:
            del self.entries[me]
            return "nobody"
        entry.groups, entry.address = groups, self._address(who, [me])
        return "member"

    def _is(self, name: str, who: Arrival) -> bool:
        return self.entries[name].identity == who.identity

    def _waits_for(self, name: str, who: Arrival) -> bool:
        entry = self.entries[name]
        if entry.active or self.expired(entry):
            return False
        addressed = entry.identity is None and who.proven and entry.address == who.address
        return self._is(name, who) or addressed

    def _release(self, who: Arrival) -> None:
        holder = self.by_address(who.address) if who.proven else None
        if holder and self.entries[holder].active and not self._is(holder, who):
            self.entries[holder].address = None

    def _groups(self, who: Arrival, me: str | None) -> set[str]:
        if who.groups is None:
            return set(self.entries[me].groups) if me else set()
        found = (self.by_identity(group) for group in who.groups)
        return {group for group in found if group}

    def _address(self, who: Arrival, mine: list[str]) -> str | None:
        """One's own from now on, unless somebody waits under it."""
        if who.proven and self.by_address(who.address) in {None, *mine}:
            return who.address
        return next((self.entries[name].address for name in mine if self.entries[name].address), None)

    def _merge(self, kept: str, merged: list[str], late: list[str], who: Arrival, groups: set[str]) -> str:
        entry, everybody = self.entries[kept], [kept, *merged, *late]
        entry.address = self._address(who, everybody)
        for name in late:
            del self.entries[name]
        for other in (self.entries.pop(name) for name in merged):
            if not (self.product.single and entry.roles):
                entry.roles += [role for role in other.roles if role not in entry.roles]
            for project, roles in other.projects.items():
                held = entry.projects.setdefault(project, [])
                held += [role for role in roles if role not in held]
        entry.active, entry.identity, entry.groups, entry.ends = True, who.identity, groups, None
        return "member"

    def _arrive(self, who: Arrival, groups: set[str], late: list[str]) -> str:
        address = self._address(who, late)
        for name in late:
            del self.entries[name]
        self.entries[self.handle()] = Entry(
            "user", self.second, active=True, address=address, identity=who.identity, groups=groups
        )
        return "member"
