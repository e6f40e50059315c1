import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.domain.change import Edit
from shared.domain.events import EventType
from shared.domain.keys import FirewallRule, Secret
from shared.domain.keys import Key as ApiKey
from shared.domain.mailing import Letter
from shared.domain.membership import Delivery, Invitation, Mailed, Member, ProjectRoles, Ref, Status
from shared.domain.near_misses import MissReason, NearMiss
from shared.domain.pacing import MOST_TURNS, Budget, Turn
from shared.domain.principals import (
    Address,
    DirectoryId,
    Identity,
    Kind,
    MemberId,
    ProductId,
    ProjectId,
    RoleId,
    TenantId,
)
from shared.domain.projects import Project
from shared.domain.tenants import Tenant, TenantSettings
from shared.storage import odata, rows
from shared.storage.odata import Key
from shared.storage.rows import Operation, Partition, Record, Work, fold
from tests.people import ADA, AT, BO, CONSUMER, CREATOR, CY, DATA_TEAM, LAB, active, address_of, invited

anything: Final = st.text(st.characters(), max_size=300)
"""Any text at all, halves of surrogate pairs included."""
UNFIT: Final = frozenset("/\\#?%") | {chr(number) for number in range(0x7F, 0xA0)}
EVERY_CHARACTER: Final = [chr(number) for number in range(sys.maxunicode + 1)]


# Folding


def spelt(key: str) -> str:
    """Spell a key in an address, as only a legal one can be."""
    return odata.address("http://tables", Key("partition", key))


@given(name=st.text(max_size=300))
@example("🦊" * 200)
@example("\ufdfa" * 200)
def test_any_name_fits_into_the_keys_of_a_member(name: str) -> None:
    """Whatever directories call people: keys are legal, short enough, and end where they say."""
    there = {LAB.id: ProjectRoles(tuple(RoleId(letter * 30) for letter in "abcd"), listed_as=name)}
    member = active("Ada", *[RoleId("r" * 40)], name=name or None, email=address_of("a" * 50), projects=there)

    for key in rows.rows_of(member):
        assert spelt(key)
        assert len(key.encode("utf-16-le")) <= 1024


@given(name=st.text(max_size=300))
def test_what_a_key_says_of_somebody_in_a_project_can_be_read(name: str) -> None:
    """The project, the place in its list, who it is, and the roles."""
    roles = (RoleId("owner"), RoleId("limited-member"))
    member = active("Ada", projects={LAB.id: ProjectRoles(roles, listed_as=name)})

    said = rows.inside(rows.in_key(LAB.id, member))

    assert said == rows.Inside(LAB.id, f"{fold(name)}!ada", member.id, frozenset(roles))


def test_every_character_is_spelt_so_that_order_and_separators_hold() -> None:
    """No character folds to one that keys may not hold, that ends a name, or that comes after the last one."""
    folded = {character: fold(character) for character in EVERY_CHARACTER}

    wrong = {
        character: spelling
        for character, spelling in folded.items()
        if not spelling or min(spelling) <= "!" or max(spelling) >= "\ufffd" or UNFIT.intersection(spelling)
    }

    assert wrong == {}


def folded_whole(text: str) -> str:
    """Fold case and composition, as Unicode does and nothing else."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


@given(whole=anything, length=st.integers(0, 300))
def test_what_begins_a_name_begins_its_key(whole: str, length: int) -> None:
    """A search finds all names that begin so, whatever the case and composition of either (R25)."""
    beginning = whole[:length]
    assume(folded_whole(whole).startswith(folded_whole(beginning)))

    assert fold(whole).startswith(fold(beginning))


@given(one=st.text(max_size=30), other=st.text(max_size=30))
def test_what_does_not_begin_a_name_does_not_begin_its_key(one: str, other: str) -> None:
    """Different characters stay different, as long as names are short enough to be kept whole."""
    assume(not folded_whole(other).startswith(folded_whole(one)) and " " not in folded_whole(one + other))
    assume(not any(character.isspace() for character in one + other))

    assert not fold(other).startswith(fold(one)) or len(fold(one)) >= 256


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada", "ADA"),
        ("É", "e\u0301"),
        ("Straße", "STRASSE"),
        ("ﬁ", "fi"),
        ("Å", "\u212b"),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("a\u00a0b", "a b"),
        ("①", "1"),
    ],
)
def test_spellings_of_one_name_are_one(one: str, other: str) -> None:
    """Case and composition do not matter."""
    assert fold(one) == fold(other)


@given(names=st.lists(st.text(max_size=5), max_size=6))
def test_python_orders_names_as_storage_does(names: list[str]) -> None:
    """Storage compares UTF-16 code units, Python code points; for folded names that is the same."""
    folded = [fold(name) for name in names]

    assert sorted(folded) == sorted(folded, key=lambda text: text.encode("utf-16-be"))


@given(short=st.text(min_size=1, max_size=5), rest=st.text(min_size=1, max_size=5))
def test_a_name_comes_before_those_that_go_on(short: str, rest: str) -> None:
    """The separator sorts before every character, so that Ann comes before Anna whatever their ids."""
    assume(fold(short + rest).startswith(fold(short)) and fold(short + rest) != fold(short))

    assert f"{fold(short)}!zzz" < f"{fold(short + rest)}!000"


@given(prefix=anything.map(lambda text: f"list!active!{fold(text)}"), rest=anything.map(fold))
def test_a_range_holds_exactly_what_begins_so(prefix: str, rest: str) -> None:
    """The end of a range is after all that begins with its prefix, and is legal in a query."""
    end = rows.beyond(prefix)

    assert prefix <= f"{prefix}{rest}!id" < end
    assert odata.within("partition", prefix, end)
    assert not prefix <= prefix[:-1] + chr(ord(prefix[-1]) - 1) < end
    assert not prefix <= prefix[:-1] + chr(ord(prefix[-1]) + 1) < end


# Keys


def test_keys_are_all_different() -> None:
    """No two things share a row."""
    keys = [*rows.rows_of(ADA), *rows.rows_of(BO), *rows.rows_of(CY), *rows.rows_of(DATA_TEAM)]

    assert len(set(keys)) == len(keys)


def test_a_member_is_found_in_every_list_it_belongs_to() -> None:
    """One row for each way to find a member, all with the same columns."""
    failing = invited("Eve", CREATOR, CONSUMER, name="Eve", invitation=Invitation(delivery=Delivery.FAILED))

    keys = rows.rows_of(failing)

    assert {key.replace(rows.address_key(address_of("Eve")), "key!address") for key in keys} == {
        "member!eve",
        "list!invited!eve!eve",
        "role!project-creator!eve!eve",
        "role!consumer!eve!eve",
        "key!address",
        "mail!eve@contoso.test!eve",
        "failed!eve!eve",
    }
    assert len({columns[rows.DATA] for columns in keys.values()}) == 1


def test_who_has_no_name_is_listed_by_address() -> None:
    """And has no second line for the same address."""
    assert set(rows.rows_of(BO)) == {
        "member!bo",
        "list!invited!bo@contoso.test!bo",
        "role!consumer!bo@contoso.test!bo",
        rows.address_key(address_of("Bo")),
    }


def test_nobody_has_no_rows() -> None:
    """Before the first and after the last there is nothing."""
    assert rows.rows_of(None) == {}


identities = st.builds(Identity, st.from_regex(r"[!-~]+", fullmatch=True).map(DirectoryId), st.text())


@given(one=identities, other=identities)
@example(Identity(DirectoryId("a"), "b\nc"), Identity(DirectoryId("a\\nb"), "c"))
def test_two_identities_never_share_a_key(one: Identity, other: Identity) -> None:
    """Directory and subject are kept apart, whatever characters a directory gives its subjects."""
    assume(one != other)

    assert rows.identity_key(one) != rows.identity_key(other)


@given(moments=st.lists(st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), max_size=5))  # noqa: DTZ001 - hypothesis adds the zone itself
def test_later_changes_have_smaller_keys(moments: list[datetime]) -> None:
    """The audit is read newest first, to the millisecond."""
    keys = [rows.newest_first(moment, "id") for moment in sorted(moments)]

    assert keys == sorted(keys, reverse=True)


@given(tenant=st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True))
def test_a_partition_comes_back_from_its_key(tenant: str) -> None:
    """Messages and lines of the index name partitions by their keys."""
    partition = Partition(TenantId(tenant), "0" * 32)

    assert Partition.parse(str(partition)) == partition


# Packing

texts = st.text(max_size=20)
some_text = st.none() | texts
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone itself
refs = st.builds(Ref, texts, texts, some_text)
details = st.dictionaries(texts, texts | st.integers() | st.booleans() | st.lists(texts).map(tuple))
members = st.builds(
    Member,
    id=texts.map(MemberId),
    kind=st.sampled_from(Kind),
    status=st.sampled_from(Status),
    created_at=moments,
    created_by=refs,
    name=some_text,
    email=st.none() | texts.map(Address),
    identity=st.none() | st.builds(Identity, texts.map(DirectoryId), texts),
    roles=st.lists(texts.map(RoleId)).map(tuple),
    projects=st.dictionaries(
        texts.map(ProjectId), st.builds(ProjectRoles, st.lists(texts.map(RoleId)).map(tuple), texts)
    ),
    groups=st.lists(texts.map(MemberId)).map(tuple),
    department=some_text,
    key=st.none()
    | st.builds(
        ApiKey,
        secrets=st.lists(st.builds(Secret, texts, texts, st.none() | moments)).map(tuple),
        expires_at=st.none() | moments,
        firewall=st.lists(st.builds(FirewallRule, texts, texts, texts)).map(tuple),
        starts_without_rights=st.booleans(),
        last_used_at=st.none() | moments,
    ),
    invitation=st.none()
    | st.builds(
        Invitation, st.integers(1), st.sampled_from(Delivery), some_text, st.none() | moments, st.none() | moments
    ),
    misses=st.lists(
        st.builds(
            NearMiss,
            texts,
            texts.map(Address),
            st.builds(Identity, texts.map(DirectoryId), texts),
            st.booleans(),
            st.sampled_from(MissReason),
            moments,
            some_text,
        )
    ).map(tuple),
    roles_changed_at=st.none() | moments,
    signed_in_at=st.none() | moments,
    mailed=st.builds(Mailed, st.dates(), st.integers(0)),
    version=st.integers(1),
)
tenants = st.builds(
    Tenant,
    id=texts.map(TenantId),
    product=texts.map(ProductId),
    name=texts,
    url=texts,
    created_at=moments,
    created_by=refs,
    directory=st.none() | texts.map(DirectoryId),
    settings=st.builds(
        TenantSettings,
        st.booleans(),
        st.booleans(),
        st.none() | st.integers(1),
        st.booleans(),
        st.lists(texts).map(tuple),
        texts,
    ),
    version=st.integers(1),
)
works = st.builds(
    Work,
    due=moments,
    letters=st.lists(st.builds(Letter, texts.map(MemberId), st.integers(0))).map(tuple),
    operation=some_text,
    attempts=st.integers(0),
    claimed_until=st.none() | moments,
    failed=some_text,
)
projects = st.builds(
    Project,
    id=texts.map(ProjectId),
    name=texts,
    created_at=moments,
    created_by=refs,
    owners=st.integers(0),
    version=st.integers(1),
)
operations = st.builds(
    Operation,
    id=texts,
    at=moments,
    state=texts,
    removed=st.integers(0),
    remaining=st.integers(0),
    places=st.lists(texts).map(tuple),
    owned=st.lists(texts.map(ProjectId)).map(tuple),
    project=st.none() | texts.map(ProjectId),
    home=st.none() | st.builds(Partition, texts.map(TenantId), texts),
    target=st.none() | refs,
)


@given(value=members | tenants | works | projects | operations)
def test_what_is_packed_comes_back(value: Member | Tenant | Work | Project | Operation) -> None:
    """Every field survives, to the microsecond and to the last quote."""
    assert rows.unpack(type(value), {rows.DATA: rows.pack(value)}) == value


@given(
    records=st.lists(
        st.builds(
            Record,
            id=texts,
            at=moments,
            action=st.sampled_from(EventType),
            actor=refs,
            target=refs,
            request_id=texts,
            before=st.none() | details,
            after=st.none() | details,
        ),
        max_size=4,
    ).map(tuple)
)
def test_records_come_back(records: tuple[Record, ...]) -> None:
    """What was before and after keeps its kinds: a yes is no number, a number is no text (R26)."""
    found = rows.unpack_records(rows.records_row(records))

    assert found == records
    assert [kinds(record.after) for record in found] == [kinds(record.after) for record in records]


def kinds(details: Mapping[str, object] | None) -> list[type]:
    """Tell of what kind the details are."""
    return [type(value) for value in (details or {}).values()]


# What is left of an address

TODAY: Final = date(2030, 1, 2)


def test_an_address_that_was_mailed_today_leaves_a_tally() -> None:
    """Whoever has it next shares the day's count."""
    gone = invited("Eve", mailed=Mailed(TODAY, 2))

    left = rows.left_behind(Edit(gone, None), TODAY)

    [(key, columns)] = left.items()
    assert key == rows.address_key(address_of("Eve"))
    assert rows.mailed_in(columns) == Mailed(TODAY, 2)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, BO),
        (BO, replace(BO, name="Bo")),
        (replace(BO, mailed=Mailed(TODAY - timedelta(days=1), 3)), None),
        (DATA_TEAM, None),
    ],
)
def test_nothing_else_leaves_a_tally(before: Member | None, after: Member | None) -> None:
    """Who comes, who keeps the address, who was mailed before today, who has none."""
    assert rows.left_behind(Edit(before, after), TODAY) == {}


def test_a_new_address_leaves_a_tally_at_the_old_one() -> None:
    """The mails went to the address, not to the person."""
    left = rows.left_behind(Edit(BO, replace(BO, email=address_of("Another"))), TODAY)

    assert list(left) == [rows.address_key(address_of("Bo"))]


def test_a_members_row_is_no_tally() -> None:
    """A row that holds a member tells nothing of mails to the address alone."""
    assert rows.mailed_in(rows.rows_of(ADA)[rows.member_key(ADA.id)]) is None


def test_a_full_line_for_mails_fits_into_its_row() -> None:
    """With ids as long as they may be: a row holds 1 MiB, two bytes a character, and as many columns as that takes."""
    turn = Turn(AT, AT + timedelta(microseconds=1), 3599.999)
    line = {str(Partition(TenantId(f"{number:a>64}"), "f" * 32)): turn for number in range(MOST_TURNS)}
    slots = {1_800_000_000 + second: 1_000_000 for second in range(61)}

    columns = rows.packed(Budget(slots, slots, AT, line))

    assert sum(2 * len(str(text)) for text in columns.values()) < 2**20 / 2
    assert len(columns) < 250
