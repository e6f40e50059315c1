"""Remote Access: API keys are issued, changed, rotated and deleted, and never by keys (R19, R31)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.access import permissions_of
from shared.domain.catalogue import Catalogue
from shared.domain.change import Actor, Change, Edit, Facts
from shared.domain.errors import Forbidden, InvalidRequest, KindNotAllowed, NotFound
from shared.domain.events import Details, Event, EventType
from shared.domain.keys import FirewallRule, Key, Secret
from shared.domain.membership import Member, Status
from shared.domain.principals import API_KEYS, Identity, Kind, MemberId
from shared.domain.remote_access import NewKey, alter, delete, issue, key_of, note_use, require_keys, rotate
from shared.domain.tenants import TenantSettings
from tests.people import (
    ADA,
    ADMINISTRATOR,
    ASSIST,
    AT,
    CLASSIC,
    CY,
    DATA_TEAM,
    INTEGRATE,
    LAB,
    MEMBER,
    OWNER,
    PORTAL,
    ROBOT,
    acting,
    facts,
    inside,
    key,
    tenant_of,
)

SOON = AT + timedelta(days=90)
FRESH = Secret("another hash", "2")
NEW = NewKey(MemberId("fresh"), Secret("hash", "1"), "Nightly load", SOON)
OFFICE = FirewallRule("Office", "203.0.113.10", "203.0.113.20")


def test_a_key_is_issued() -> None:
    """A member of its own kind, found by its id, with no role yet (R31)."""
    change = issue(facts(ADA), NEW, actor=acting(ADA))

    assert change.answer == Member(
        id=NEW.id,
        kind=Kind.API_KEY,
        status=Status.ACTIVE,
        created_at=AT,
        created_by=ADA.ref,
        name="Nightly load",
        identity=Identity(API_KEYS, NEW.id),
        key=Key((NEW.secret,), expires_at=SOON),
    )
    assert change.edits == (Edit(None, change.answer),)


def test_nothing_that_opens_anything_is_recorded() -> None:
    """Only what anybody may know (R26)."""
    change = issue(facts(ADA), replace(NEW, firewall=(OFFICE,)), actor=acting(ADA))

    told: Details = {
        "description": "Nightly load",
        "expiresAt": SOON.isoformat(),
        "firewall": ("Office: 203.0.113.10-203.0.113.20",),
    }
    assert change.events == (Event(EventType.API_KEY_ISSUED, change.answer.ref, after=told),)
    assert "hash" not in str(change.events)


@pytest.mark.parametrize("wanted", [True, False])
def test_a_key_remembers_what_the_tenant_wanted_of_new_ones(*, wanted: bool) -> None:
    """The setting is for keys issued from then on (R31)."""
    settings = TenantSettings(new_keys_start_without_rights=wanted)
    known = facts(tenant=replace(tenant_of(ASSIST), settings=settings))

    issued = issue(known, NEW, actor=acting(ADA)).answer

    assert key_of(issued).starts_without_rights is wanted
    later = replace(known, tenant=replace(known.tenant, settings=TenantSettings()))
    assert bool(permissions_of(later, issued)) is not wanted


def test_a_product_without_keys_issues_none() -> None:
    """Integrate Classic knows people only (R6)."""
    with pytest.raises(KindNotAllowed):
        issue(facts(tenant=tenant_of(CLASSIC)), NEW, actor=acting(ADA))


@pytest.mark.parametrize("kind", [INTEGRATE, ASSIST, PORTAL], ids=lambda kind: kind.id)
def test_the_other_products_know_keys(kind: Catalogue) -> None:
    """Whether or not they give them roles (R6)."""
    require_keys(kind)

    assert issue(facts(tenant=tenant_of(kind)), NEW, actor=acting(ADA)).edits


@pytest.mark.parametrize("expires_at", [AT, AT - timedelta(days=1)])
def test_a_key_is_good_for_some_time(expires_at: object) -> None:
    """One that had expired before it was used would be of no use."""
    with pytest.raises(InvalidRequest):
        issue(facts(), replace(NEW, expires_at=expires_at), actor=acting(ADA))  # type: ignore[arg-type]  # a table
    with pytest.raises(InvalidRequest):
        alter(facts(ROBOT), ROBOT.id, actor=acting(ADA), expires_at=expires_at)


def test_a_key_may_be_good_for_ever() -> None:
    """Where that is asked for."""
    issued = issue(facts(), replace(NEW, expires_at=None), actor=acting(ADA)).answer

    assert not key_of(issued).is_expired(AT + timedelta(days=365_000))


CHANGES = {
    "description": ({"description": "Weekly load"}, {"description": "Weekly load"}),
    "expiry": ({"expires_at": SOON}, {"expiresAt": SOON.isoformat()}),
    "firewall": ({"firewall": (OFFICE,)}, {"firewall": ("Office: 203.0.113.10-203.0.113.20",)}),
}


@pytest.mark.parametrize(("given", "told"), CHANGES.values(), ids=CHANGES)
def test_a_key_is_changed(given: dict[str, object], told: dict[str, object]) -> None:
    """What is not given stays, the secret above all; recorded with before and after."""
    change = alter(facts(ROBOT), ROBOT.id, actor=acting(ADA), **given)

    (event,) = change.events
    assert event.type is EventType.API_KEY_CHANGED
    assert event.before == {"description": "Robot", "expiresAt": None, "firewall": ()}
    assert event.after == {**event.before, **told}
    assert key_of(change.answer).secrets == key_of(ROBOT).secrets
    assert (change.answer.roles, change.answer.version) == (ROBOT.roles, ROBOT.version + 1)
    assert change.edits == (Edit(ROBOT, change.answer),)


def test_a_change_to_what_is_there_already_is_none() -> None:
    """No record says that something had happened (R26)."""
    assert alter(facts(ROBOT), ROBOT.id, actor=acting(ADA), description="Robot", firewall=()) == Change(ROBOT)


def test_an_expired_key_may_be_described_anew() -> None:
    """Only a new expiry has to be in the future."""
    old = replace(ROBOT, key=replace(key_of(ROBOT), expires_at=AT))

    assert alter(facts(old), old.id, actor=acting(ADA), description="Old").answer.name == "Old"


def test_a_key_is_listed_in_its_projects_under_its_new_name() -> None:
    """People look for what they see (R25)."""
    robot = inside(ROBOT, MEMBER)

    assert (
        alter(facts(robot), robot.id, actor=acting(ADA), description="Cron").answer.projects[LAB.id].listed_as == "Cron"
    )


def secrets_after(held: Key, overlap: timedelta) -> tuple[Secret, ...]:
    """Rotate a key."""
    robot = replace(ROBOT, key=held)
    return key_of(rotate(facts(robot), robot.id, FRESH, overlap, actor=acting(ADA)).answer).secrets


@pytest.mark.parametrize("hours", [0, 24, 168])
def test_a_rotated_key_has_a_new_secret_and_the_old_one_for_a_while(hours: int) -> None:
    """With no overlap the old one is good no more."""
    (first,) = key_of(ROBOT).secrets

    old, new = secrets_after(key_of(ROBOT), timedelta(hours=hours))

    assert new == FRESH
    assert old == replace(first, until=AT + timedelta(hours=hours))
    assert old.is_current(AT) is (hours > 0)


def test_a_key_has_two_secrets_at_most() -> None:
    """The one before the last is good no more, however long it was meant to be."""
    first, second = Secret("1", "1", until=AT + timedelta(days=7)), Secret("2", "1")

    assert secrets_after(Key((first, second)), timedelta(days=1)) == (
        replace(second, until=AT + timedelta(days=1)),
        FRESH,
    )


def test_a_rotation_never_makes_a_secret_last_longer() -> None:
    """One that ends soon ends then."""
    ending = Secret("1", "1", until=AT + timedelta(hours=1))

    assert secrets_after(Key((ending,)), timedelta(days=1))[0] == ending


def test_a_rotation_is_recorded() -> None:
    """With the overlap, and no secret (R26)."""
    change = rotate(facts(ROBOT), ROBOT.id, FRESH, timedelta(hours=24), actor=acting(ADA))

    assert change.events == (Event(EventType.API_KEY_ROTATED, ROBOT.ref, after={"overlapHours": 24}),)
    assert change.edits == (Edit(ROBOT, change.answer),)
    assert change.answer.version == ROBOT.version + 1


def test_a_key_is_deleted_everywhere() -> None:
    """From the tenant, its roles and its projects, for ever (R19)."""
    robot = inside(ROBOT, OWNER)

    change = delete(facts(robot, projects=[LAB]), robot.id, actor=acting(ADA))

    assert change.edits == (Edit(robot, None),)
    assert change.answer.api_key
    assert [project.id for project in change.answer.ownerless] == [LAB.id]
    assert [event.type for event in change.events] == [EventType.API_KEY_DELETED]


type Managing = Callable[[Facts, MemberId, Actor], object]
REFUSED: dict[str, Managing] = {
    "issue": lambda known, _, actor: issue(known, NEW, actor=actor),
    "change": lambda known, it, actor: alter(known, it, actor=actor, description="Mine"),
    "rotate": lambda known, it, actor: rotate(known, it, FRESH, timedelta(), actor=actor),
    "delete": lambda known, it, actor: delete(known, it, actor=actor),
}


@pytest.mark.parametrize("manage", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("whose", ["its own", "another's"])
def test_no_key_manages_keys(manage: Managing, whose: str) -> None:
    """Whatever its roles, and whosever the key is (R31)."""
    boss = key("Boss", ADMINISTRATOR)

    with pytest.raises(Forbidden):
        manage(facts(boss, ROBOT), boss.id if whose == "its own" else ROBOT.id, acting(boss))


@pytest.mark.parametrize("manage", list(REFUSED.values())[1:], ids=list(REFUSED)[1:])
@pytest.mark.parametrize("member", [CY, DATA_TEAM], ids=["a person", "a group"])
def test_who_is_no_key_is_not_found_among_them(
    manage: Callable[[Facts, MemberId, Actor], object], member: Member
) -> None:
    """Nor is the key of another tenant (R27)."""
    with pytest.raises(NotFound):
        manage(facts(ADA, member), member.id, acting(ADA))
    with pytest.raises(NotFound):
        manage(facts(ADA), ROBOT.id, acting(ADA))


def test_the_use_of_a_key_is_noted() -> None:
    """Nobody has asked for it: no record, no new version."""
    change = note_use(facts(ROBOT), ROBOT)

    after = replace(ROBOT, key=replace(key_of(ROBOT), last_used_at=AT))
    assert change == Change(None, (Edit(ROBOT, after),))


@pytest.mark.parametrize(("minutes", "noted"), [(0, False), (59, False), (60, True), (600, True)])
def test_the_use_of_a_key_is_noted_once_an_hour(minutes: int, *, noted: bool) -> None:
    """A busy key would be written all the time."""
    used = replace(ROBOT, key=replace(key_of(ROBOT), last_used_at=AT - timedelta(minutes=minutes)))

    assert bool(note_use(facts(used), used).edits) is noted


def test_the_use_of_what_is_no_key_is_not_noted() -> None:
    """It may have been deleted in between."""
    assert note_use(facts(CY), CY).is_empty
