"""The people and groups of each directory, as the file names them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from local.json_files import read_json

_FILE = Path(__file__).with_name("directories.json")


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)


class User(_Shape):
    """Somebody, with the properties that Graph has for them."""

    id: UUID
    display_name: str
    mail: str | None
    user_principal_name: str
    user_type: str = "Member"
    account_enabled: bool = True


class Group(_Shape):
    """A group; `members` are users and other groups, by id."""

    id: UUID
    display_name: str
    mail: str | None
    members: tuple[UUID, ...] = Field(exclude=True)


class Crowd(_Shape):
    """Many people who differ by a number, all in one group: `{}` in a text stands for the number, three digits long."""

    size: int = Field(le=999)
    id: str
    display_name: str
    mail: str
    group: UUID

    def users(self) -> Iterator[User]:
        """Make the people."""
        for number in _numbers(self.size):
            mail = self.mail.format(number)
            yield User(
                id=UUID(self.id.format(number)),
                displayName=self.display_name.format(number),
                mail=mail,
                userPrincipalName=mail,
            )


class Teams(_Shape):
    """Many groups of the same members, with names and ids like those of a crowd: more than a token can hold."""

    size: int = Field(le=999)
    id: str
    display_name: str
    members: tuple[UUID, ...]

    def groups(self) -> Iterator[Group]:
        """Make the groups."""
        for number in _numbers(self.size):
            name = self.display_name.format(number)
            yield Group(id=UUID(self.id.format(number)), displayName=name, mail=None, members=self.members)


def _numbers(size: int) -> Iterator[str]:
    return (f"{number:03}" for number in range(1, size + 1))


class Directory(_Shape):
    """One directory: `tid` is its id, `groups_of` and `users_in` are its memberships."""

    tid: str
    users: tuple[User, ...]
    groups: tuple[Group, ...]

    def user(self, object_id: str) -> User | None:
        """Find a user by object id or by the name that they sign in with, as Graph does."""
        wanted = object_id.lower()
        return next((each for each in self.users if wanted in {str(each.id), each.user_principal_name.lower()}), None)

    def group(self, object_id: str) -> Group | None:
        """Find a group by object id."""
        return next((each for each in self.groups if str(each.id) == object_id.lower()), None)

    def users_in(self, group: Group) -> Sequence[User]:
        """List the users directly in a group."""
        members = frozenset(group.members)
        return [user for user in self.users if user.id in members]

    def groups_of(self, user: User) -> frozenset[UUID]:
        """Return the ids of all groups that a user is in, directly or through groups."""
        found = frozenset[UUID]()
        holders = self._groups_with({user.id})
        while holders - found:
            found |= holders
            holders = self._groups_with(found)
        return found

    def _groups_with(self, members: set[UUID] | frozenset[UUID]) -> frozenset[UUID]:
        return frozenset(group.id for group in self.groups if members & set(group.members))


class _Entry(Directory):
    """A directory as the file has it."""

    crowd: Crowd | None = None
    teams: Teams | None = None

    def directory(self) -> Directory:
        teams = tuple(self.teams.groups()) if self.teams else ()
        if self.crowd is None:
            return Directory(tid=self.tid, users=self.users, groups=self.groups + teams)
        crowd = tuple(self.crowd.users())
        ids = tuple(user.id for user in crowd)
        groups = tuple(
            group.model_copy(update={"members": group.members + ids}) if group.id == self.crowd.group else group
            for group in self.groups
        )
        return Directory(tid=self.tid, users=self.users + crowd, groups=groups + teams)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    contoso: _Entry
    fabrikam: _Entry


def read_directories(file: Path = _FILE) -> dict[str, Directory]:
    """Read the directories by name; raise CannotStart for a file that makes no sense."""
    read = read_json(file, _File)
    return {"contoso": read.contoso.directory(), "fabrikam": read.fabrikam.directory()}
