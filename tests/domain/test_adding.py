from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.adding import Outcome, Piece, Result, Target, add, add_all, each_once, typed
from shared.domain.catalogue import Catalogue, Role
from shared.domain.change import Actor, Change, Edit, Facts, Known
from shared.domain.errors import (
    EmailDomainNotAllowed,
    Forbidden,
    GuestsAddManually,
    InvalidEmail,
    InvalidRequest,
    KeyDeleted,
    KindNotAllowed,
    LookupDisabled,
    NotFound,
    OneRoleOnly,
    SomeRejected,
)
from shared.domain.events import Event, EventType
from shared.domain.membership import NEVER_MAILED, Delivery, Invitation, Mailed, Member, Status
from shared.domain.principals import Address, Kind, MemberId, RoleId
from shared.domain.removal import administrators_after
from shared.domain.tenants import TenantSettings
from tests.people import (
    ACME,
    ADA,
    ADMINISTRATOR,
    AT,
    BO,
    CLASSIC,
    CONSUMER,
    CONTRIBUTOR,
    CREATOR,
    CY,
    DATA_TEAM,
    INTEGRATE,
    LAB,
    MEMBER,
    OWNER,
    PORTAL,
    ROBOT,
    acting,
    active,
    address_of,
    facts,
    identity_of,
    inside,
    invited,
    key,
    pieces,
    tenant_of,
)

TODAY, YESTERDAY = AT.date(), AT.date() - timedelta(days=1)
EXPIRED = Invitation(round=2, delivery=Delivery.SENT, sent_at=AT - timedelta(days=30), open_until=AT)


def role(id_: RoleId = CONSUMER) -> Role:
    """Find a role of integrate."""
    return INTEGRATE.application_role(id_)


def adding(known: Facts, *texts: str, to: Role | None = None) -> Change[tuple[Result, ...]]:
    """Let Ada add people."""
    return add(known, pieces(*texts), Target(to or role()), actor=acting(ADA))


def settings(**given: object) -> Facts:
    """Tell what an empty tenant with some settings has stored."""
    chosen = replace(TenantSettings(), **given)  # type: ignore[arg-type]  # replace() checks the names
    return facts(tenant=replace(ACME, settings=chosen))


def classic(*members: Member) -> Facts:
    """Tell what a tenant of Integrate Classic has stored."""
    return facts(*members, tenant=tenant_of(CLASSIC))


LOOKING_UP = replace(ACME, settings=TenantSettings(user_lookup=True, group_lookup=True))
"""A tenant in which people and groups are picked from the directory."""


def picked(name: str, kind: Kind = Kind.USER, **fields: Any) -> Piece:
    """Pick somebody from the directory, which knows name and address."""
    return Piece(name, kind, **{"address": address_of(name), "identity": identity_of(name), "name": name, **fields})


def existing(member: Member) -> Piece:
    """Name an API key that is there."""
    return Piece(member.id, Kind.API_KEY, key=member.id)


def told(change: Change[tuple[Result, ...]]) -> Any:
    """Tell what became of the one piece: the outcome, or the refusal's class."""
    (result,) = change.answer
    return type(result.refusal) if result.refusal else result.outcome


def test_addresses_come_one_by_one_or_several_in_one_string() -> None:
    """Blanks around them and empty pieces do not matter (R2)."""
    found = pieces("ada@x.test", " bo@x.test;; cy@x.test ; ", "")

    assert [piece.address for piece in found] == ["ada@x.test", "bo@x.test", "cy@x.test"]


def test_a_piece_keeps_what_was_typed() -> None:
    """Each result can be shown beside its input (R2)."""
    (piece,) = pieces(" Ada@X.test ")

    assert piece == Piece("Ada@X.test", address=Address("ada@x.test"))


def test_one_person_named_twice_is_a_duplicate_the_second_time() -> None:
    """Whatever the case or spelling, and wherever in the request (R2, R3)."""
    change = adding(facts(), "ada@x.test;ADA@X.TEST", "ada@x.test")

    assert [(each.input, each.outcome) for each in change.answer] == [
        ("ada@x.test", Outcome.INVITED),
        ("ADA@X.TEST", Outcome.DUPLICATE),
        ("ada@x.test", Outcome.DUPLICATE),
    ]
    assert len(change.edits) == 1


def test_a_bad_address_is_rejected_alone() -> None:
    """It never stops the good ones (R2)."""
    change = adding(facts(), "ada@x.test; nonsense; bo@x.test")

    assert [result.outcome for result in change.answer] == ["invited", "rejected", "invited"]
    assert isinstance(change.answer[1].refusal, InvalidEmail)
    assert len(change.edits) == 2


@given(st.lists(st.sampled_from(["ada@x.test", "Ada@X.test", "bo@x.test", "nonsense", ""])))
def test_every_piece_has_its_result_in_the_order_of_the_request(texts: list[str]) -> None:
    """Nothing is lost, nothing is told twice, and nobody is invited twice (R2, R3)."""
    change = adding(facts(), *texts)

    assert [result.input for result in change.answer] == [text for text in texts if text]
    assert len(change.edits) == len({text.lower() for text in texts if "@" in text})


def test_a_newcomer_is_invited() -> None:
    """A member who has not signed in yet, with the role, by whoever asked (R4, R12)."""
    change = adding(facts(), "Bo@Contoso.test", to=role(CREATOR))

    (result,), (edit,) = change.answer, change.edits
    assert result == Result("Bo@Contoso.test", Outcome.INVITED, edit.after)
    assert edit == Edit(
        None,
        Member(
            id=MemberId(facts().mint("bo@contoso.test")),
            kind=BO.kind,
            status=Status.INVITED,
            created_at=AT,
            created_by=ADA.ref,
            email=address_of("Bo"),
            roles=(CREATOR,),
            invitation=Invitation(),
            roles_changed_at=AT,
            mailed=Mailed(TODAY, 1),
            version=2,
        ),
    )


def test_a_newcomer_gets_one_mail_and_one_record() -> None:
    """Not one for each role, and nothing without a trace (R4, R26)."""
    change = adding(facts(), "bo@contoso.test")

    (member,) = change.mails
    assert change.edits[0].after == member
    assert change.events == (Event(EventType.MEMBER_INVITED, member.ref, after={"roles": (CONSUMER,)}),)


def test_an_active_member_gets_a_further_role_without_a_mail() -> None:
    """Whoever is in needs no invitation (R3, R4)."""
    change = adding(facts(CY), "cy@contoso.test", to=role(CREATOR))

    (result,) = change.answer
    assert (result.outcome, change.mails) == (Outcome.ROLE_ADDED, ())
    assert result.member == CY.holding([CONSUMER, CREATOR], at=AT)
    assert change.edits == (Edit(CY, result.member),)
    assert [event.type for event in change.events] == [EventType.ROLE_ASSIGNED]


def test_an_invited_person_gets_a_further_role_without_a_second_mail() -> None:
    """One invitation, one mail, and signing in activates all (R3)."""
    change = adding(facts(BO), "bo@contoso.test", to=role(CREATOR))

    (result,) = change.answer
    assert (result.outcome, change.mails) == (Outcome.ROLE_ADDED, ())
    assert result.member
    assert (result.member.roles, result.member.invitation) == ((CONSUMER, CREATOR), BO.invitation)


@pytest.mark.parametrize("member", [CY, BO], ids=["active", "invited"])
def test_adding_again_is_success_without_a_row_or_a_mail(member: Member) -> None:
    """However many times (R3)."""
    change = adding(facts(member), str(member.email).upper())

    assert change.is_empty
    assert [(result.outcome, result.member) for result in change.answer] == [(Outcome.UNCHANGED, member)]


def test_a_second_role_is_rejected_where_one_is_all_there_is() -> None:
    """In Integrate Classic the role is changed instead; the result shows whom it is about."""
    user, manager = CLASSIC.application_roles[:2]
    eve = active("Eve", user.id)

    change = adding(classic(eve), "eve@contoso.test", to=manager)

    (result,) = change.answer
    assert (result.outcome, result.member) == (Outcome.REJECTED, eve)
    assert isinstance(result.refusal, OneRoleOnly)
    assert change.is_empty


def test_a_second_role_is_rejected_also_after_the_invitation_has_expired() -> None:
    """An expired invitation keeps its role, and so there would be two."""
    user, manager = CLASSIC.application_roles[:2]
    eve = invited("Eve", user.id, invitation=EXPIRED)

    (result,) = adding(classic(eve), "eve@contoso.test", to=manager).answer

    assert isinstance(result.refusal, OneRoleOnly)


def test_the_one_role_given_again_is_unchanged() -> None:
    """Adding again is success everywhere (R3)."""
    user = CLASSIC.application_roles[0]

    (result,) = adding(classic(active("Eve", user.id)), "eve@contoso.test", to=user).answer

    assert result.outcome is Outcome.UNCHANGED


def test_a_domain_that_is_not_allowed_is_rejected_alone() -> None:
    """The tenant's list is about new invitations (R9)."""
    change = adding(settings(allowed_email_domains=("contoso.test",)), "bo@contoso.test; bo@x.test")

    assert [result.outcome for result in change.answer] == [Outcome.INVITED, Outcome.REJECTED]
    assert isinstance(change.answer[1].refusal, EmailDomainNotAllowed)


def test_who_is_in_gets_roles_whatever_the_domain() -> None:
    """The list was made later; it throws nobody out (R9)."""
    known = settings(allowed_email_domains=("x.test",))

    (result,) = adding(facts(CY, tenant=known.tenant), "cy@contoso.test", to=role(CREATOR)).answer

    assert result.outcome is Outcome.ROLE_ADDED


def test_an_invitation_ends_when_the_tenant_says() -> None:
    """Counted from the invitation (R9)."""
    (result,) = adding(settings(invitation_days=7), "bo@contoso.test").answer

    assert result.member
    assert result.member.invitation == Invitation(open_until=AT + timedelta(days=7))


@pytest.mark.parametrize(("to", "roles"), [(CONSUMER, (CONSUMER,)), (CREATOR, (CONSUMER, CREATOR))])
def test_an_expired_invitation_is_opened_again_by_adding(to: RoleId, roles: tuple[RoleId, ...]) -> None:
    """At once: the same member with its roles and the new one, a new round, a new mail (R9)."""
    bo = invited("Bo", invitation=EXPIRED, mailed=Mailed(YESTERDAY, 3))

    change = adding(facts(bo), "bo@contoso.test", to=role(to))

    (result,) = change.answer
    assert result.outcome is Outcome.INVITED
    assert result.member
    assert (result.member.id, result.member.roles) == (bo.id, roles)
    assert result.member.invitation == Invitation(round=3)
    assert change.edits == (Edit(bo, result.member),)
    assert change.mails == (result.member,)
    assert change.events[0].type is EventType.INVITATION_RESENT


def test_an_address_that_had_its_mails_is_invited_without_one() -> None:
    """Removing and inviting again does not flood anybody; the delivery says why nothing comes (R30)."""
    change = adding(facts(mailed={address_of("Bo"): Mailed(TODAY, 3)}), "bo@contoso.test")

    (result,) = change.answer
    assert (result.outcome, change.mails) == (Outcome.INVITED, ())
    assert result.member
    assert result.member.invitation == Invitation(delivery=Delivery.FAILED, reason="too-many-mails")
    assert result.member.mailed == Mailed(TODAY, 3)


def test_an_expired_invitation_is_opened_again_also_without_a_mail() -> None:
    """The address had its mails for today (R30)."""
    bo = invited("Bo", invitation=EXPIRED, mailed=Mailed(TODAY, 3))

    change = adding(facts(bo), "bo@contoso.test")

    (result,) = change.answer
    assert (result.outcome, change.mails) == (Outcome.INVITED, ())
    assert result.member
    assert result.member.invitation == Invitation(round=3, delivery=Delivery.FAILED, reason="too-many-mails")


# Chosen from the directory


def picking(known: Facts, *chosen: Piece, to: Role | None = None, actor: Actor | None = None) -> Any:
    """Let Ada add who she has picked."""
    return add(known, each_once(chosen), Target(to or role()), actor=actor or acting(ADA))


def test_a_person_is_picked_from_the_directory() -> None:
    """Invited by identity, with the name and the address that the directory has (R5)."""
    change = picking(facts(tenant=LOOKING_UP), picked("Eve"))

    (eve,) = change.mails
    assert told(change) is Outcome.INVITED
    assert (eve.identity, eve.name, eve.email) == (identity_of("Eve"), "Eve", address_of("Eve"))
    assert (eve.status, eve.kind) == (Status.INVITED, Kind.USER)


def test_a_person_whose_directory_knows_no_address_is_invited_without_a_mail() -> None:
    """Whoever picked them tells them; the delivery says why nothing comes (R30)."""
    change = picking(facts(tenant=LOOKING_UP), picked("Eve", address=None))

    assert (told(change), change.mails) == (Outcome.INVITED, ())
    assert change.answer[0].member.invitation == Invitation(delivery=Delivery.FAILED, reason="no-address")


def test_a_group_is_added_at_once() -> None:
    """It has nothing to accept, and gets no mail (R4, R5)."""
    change = picking(facts(tenant=LOOKING_UP), picked("Team", Kind.GROUP, address=None))

    (edit,) = change.edits
    assert (told(change), change.mails) == (Outcome.ADDED, ())
    assert (edit.after.kind, edit.after.status, edit.after.roles) == (Kind.GROUP, Status.ACTIVE, (CONSUMER,))
    assert [event.type for event in change.events] == [EventType.MEMBER_ADDED]


def test_a_group_is_a_member_once() -> None:
    """Added again, and again in another role (R3)."""
    team = replace(DATA_TEAM, identity=identity_of("Team"))
    known = facts(team, tenant=LOOKING_UP)

    assert told(picking(known, picked("Team", Kind.GROUP, address=None))) is Outcome.UNCHANGED
    assert told(picking(known, picked("Team", Kind.GROUP, address=None), to=role(CREATOR))) is Outcome.ROLE_ADDED


def test_a_groups_address_is_nobodys() -> None:
    """A group may have the address that somebody is invited under: they are two members, and one was mailed (R3)."""
    team = picked("Team", Kind.GROUP, address=address_of("Bo"))

    change = picking(facts(BO, tenant=LOOKING_UP), team)

    (edit,) = change.edits
    assert told(change) is Outcome.ADDED
    assert (edit.before, edit.after.mailed) == (None, NEVER_MAILED)


def test_the_allowed_domains_do_not_bind_groups() -> None:
    """They are about whom invitations go to (R9)."""
    tenant = replace(LOOKING_UP, settings=replace(LOOKING_UP.settings, allowed_email_domains=("x.test",)))

    assert told(picking(facts(tenant=tenant), picked("Team", Kind.GROUP))) is Outcome.ADDED
    assert told(picking(facts(tenant=tenant), picked("Eve"))) is EmailDomainNotAllowed


SWITCHES = {
    "both": (True, True, Outcome.INVITED, Outcome.ADDED),
    "people": (True, False, Outcome.INVITED, LookupDisabled),
    "groups": (False, True, LookupDisabled, Outcome.ADDED),
    "none": (False, False, LookupDisabled, LookupDisabled),
}


@pytest.mark.parametrize(("users", "groups", "person", "group"), SWITCHES.values(), ids=SWITCHES)
def test_the_look_ups_are_two_switches(users: bool, groups: bool, person: object, group: object) -> None:  # noqa: FBT001 - a table
    """One for people and one for groups, whatever the client says that the directory says (R5)."""
    known = settings(user_lookup=users, group_lookup=groups)

    assert told(picking(known, picked("Eve"))) is person
    assert told(picking(known, picked("Team", Kind.GROUP))) is group
    assert told(adding(known, "eve@contoso.test")) is Outcome.INVITED


def test_guests_add_by_hand_only() -> None:
    """They see nothing of the directory, hence no groups (R5)."""
    guest = replace(acting(ADA), guest=True)
    known = facts(tenant=LOOKING_UP)

    assert told(picking(known, picked("Eve"), actor=guest)) is GuestsAddManually
    assert told(picking(known, picked("Team", Kind.GROUP), actor=guest)) is GuestsAddManually
    assert told(picking(known, *pieces("eve@contoso.test"), actor=guest)) is Outcome.INVITED


def test_a_pick_is_who_is_invited_by_address_already() -> None:
    """One person is one member (R3)."""
    change = picking(facts(BO, tenant=LOOKING_UP), picked("Bo"), to=role(CREATOR))

    assert told(change) is Outcome.ROLE_ADDED
    assert change.edits[0].before == BO


def test_a_pick_is_found_by_identity_whatever_the_address() -> None:
    """Cy has another address in the directory now (R3, R11)."""
    assert told(picking(facts(CY, tenant=LOOKING_UP), picked("Cy", address=address_of("Cyrus")))) is Outcome.UNCHANGED


def test_a_pick_whose_address_is_somebody_elses_is_rejected() -> None:
    """Another identity signs in with that address here: they would be two members of one address (R3, R11)."""
    change = picking(facts(CY, tenant=LOOKING_UP), picked("Impostor", address=address_of("Cy")))

    assert told(change) is InvalidRequest
    assert change.is_empty


def test_one_person_named_in_two_ways_is_added_once() -> None:
    """By address and from the directory, in one request (R3)."""
    change = picking(facts(tenant=LOOKING_UP), *pieces("eve@contoso.test"), picked("Eve"))

    assert [result.outcome for result in change.answer] == [Outcome.INVITED, Outcome.UNCHANGED]
    assert len(change.edits) == len(change.mails) == 1


def test_a_member_named_in_two_ways_gets_the_role_once() -> None:
    """So that a new administrator is counted once, too (R3, R16)."""
    change = picking(facts(CY, tenant=LOOKING_UP), *pieces("cy@contoso.test"), picked("Cy"), to=role(ADMINISTRATOR))

    assert [result.outcome for result in change.answer] == [Outcome.ROLE_ADDED, Outcome.UNCHANGED]
    assert administrators_after(0, change.edits, INTEGRATE) == 1


def test_one_pick_twice_is_a_duplicate() -> None:
    """As with addresses (R2)."""
    change = picking(facts(tenant=LOOKING_UP), picked("Eve"), picked("Eve"))

    assert [result.outcome for result in change.answer] == [Outcome.INVITED, Outcome.DUPLICATE]


def test_a_pick_that_the_directory_does_not_know_is_rejected_alone() -> None:
    """The piece says so itself (R2, R5)."""
    unknown = Piece("nobody", identity=identity_of("Nobody"), refusal=NotFound("The directory has nobody of this id."))

    change = picking(facts(tenant=LOOKING_UP), unknown, unknown, picked("Eve"))

    assert [result.outcome for result in change.answer] == [Outcome.REJECTED, Outcome.REJECTED, Outcome.INVITED]


# Kinds of member


@pytest.mark.parametrize("kind", [Kind.GROUP, Kind.API_KEY])
def test_integrate_classic_has_people_only(kind: Kind) -> None:
    """Neither groups nor keys (R6)."""
    target = Target(CLASSIC.application_roles[0])
    known = replace(classic(), tenant=replace(LOOKING_UP, product=CLASSIC.id))

    assert (
        told(add(known, [Piece("it", kind, identity=identity_of("it"))], target, actor=acting(ADA))) is KindNotAllowed
    )


def test_portal_gives_no_role_to_keys() -> None:
    """People and groups only; keys act as administrators anyway (R6)."""
    robot = key("Robot")
    target = Target(PORTAL.application_role(CONSUMER))

    change = add(facts(robot, tenant=tenant_of(PORTAL)), [existing(robot)], target, actor=acting(ADA))

    assert told(change) is KindNotAllowed
    assert change.is_empty


# Keys


def test_a_key_gets_its_first_role() -> None:
    """It was issued before, and shows on a tab from now on (R31)."""
    robot = key("Robot")

    change = picking(facts(robot), existing(robot))

    assert told(change) is Outcome.ADDED
    assert change.edits == (Edit(robot, robot.holding([CONSUMER], at=AT)),)
    assert change.mails == ()


def test_a_key_gets_further_roles() -> None:
    """Like anybody (R3)."""
    assert told(picking(facts(ROBOT), existing(ROBOT), to=role(CREATOR))) is Outcome.ROLE_ADDED
    assert told(picking(facts(ROBOT), existing(ROBOT))) is Outcome.UNCHANGED


def test_a_key_that_there_is_not_is_rejected() -> None:
    """Keys are issued, not invited; somebody else's id is the id of no key (R27)."""
    assert told(picking(facts(), existing(ROBOT))) is NotFound
    assert told(picking(facts(CY), existing(CY))) is NotFound


def test_a_deleted_key_never_comes_back() -> None:
    """Its id is used up (R19)."""
    assert told(picking(facts(deleted=frozenset({ROBOT.id})), existing(ROBOT))) is KeyDeleted


def test_a_key_gives_nobody_the_top_role() -> None:
    """Whatever its own roles (R31)."""
    boss = key("Boss", ADMINISTRATOR)

    lower = add(facts(boss, CY), pieces("cy@contoso.test"), Target(role(CREATOR)), actor=acting(boss))

    assert told(lower) is Outcome.ROLE_ADDED
    with pytest.raises(Forbidden):
        add(facts(boss, CY), pieces("nonsense"), Target(role(ADMINISTRATOR)), actor=acting(boss))


# What departments come with


def test_a_department_comes_with_the_role_that_carries_one() -> None:
    """A BI Developer's, when invited, and when given the role by adding (R33)."""
    developer = CLASSIC.application_role(RoleId("bi-developer"))
    idle = active("Cy", roles=())

    newcomer = add(classic(), [*typed("eve@x.test", department="Sales")], Target(developer), actor=acting(ADA))
    known = add(classic(idle), [*typed("cy@contoso.test", department="Sales")], Target(developer), actor=acting(ADA))

    members = [each.answer[0].member for each in (newcomer, known)]
    assert [member.department for member in members if member] == ["Sales", "Sales"]


@pytest.mark.parametrize(
    ("kind", "to"), [(CLASSIC, "bi-user"), (CLASSIC, "group-admin"), (INTEGRATE, "consumer"), (PORTAL, "curator")]
)
def test_a_department_is_refused_elsewhere(kind: Catalogue, to: str) -> None:
    """Nothing of it is stored (R33)."""
    target = Target(kind.application_role(RoleId(to)))

    change = add(facts(tenant=tenant_of(kind)), [*typed("eve@x.test", department="Sales")], target, actor=acting(ADA))

    assert told(change) is InvalidRequest
    assert change.is_empty


# Coming into projects


def joining(known: Facts, *chosen: Piece, to: RoleId = MEMBER, actor: Actor | None = None) -> Any:
    """Let somebody add to the lab."""
    target = Target(known.catalogue.project_role(to), LAB.id)
    return add(known, each_once(chosen), target, actor=actor or acting(CY))


def test_a_newcomer_to_a_project_gets_the_default_role() -> None:
    """One invitation, one mail; the project's role and the tenant's default one (R7)."""
    change = joining(facts(projects=[LAB]), *pieces("eve@contoso.test"))

    (eve,) = change.mails
    assert told(change) is Outcome.INVITED
    assert (eve.roles, eve.roles_in(LAB.id)) == ((CONSUMER,), (MEMBER,))
    assert [event.type for event in change.events] == [EventType.MEMBER_INVITED, EventType.PROJECT_ROLE_ASSIGNED]


def test_a_group_that_comes_into_a_project_gets_the_default_role() -> None:
    """Groups alike (R7)."""
    known = facts(tenant=LOOKING_UP, projects=[LAB])

    change = joining(known, picked("Team", Kind.GROUP, address=None))

    assert (change.edits[0].after.roles, change.edits[0].after.roles_in(LAB.id)) == ((CONSUMER,), (MEMBER,))


def test_a_member_without_a_role_gets_the_default_one_with_the_project() -> None:
    """Whoever got in by a group alone (R7, R13)."""
    eve = active("Eve", roles=())

    change = joining(facts(eve, projects=[LAB]), *pieces("eve@contoso.test"))

    assert (told(change), change.mails) == (Outcome.ROLE_ADDED, ())
    assert change.answer[0].member.roles == (CONSUMER,)
    assert [event.type for event in change.events] == [EventType.ROLE_ASSIGNED, EventType.PROJECT_ROLE_ASSIGNED]


def test_a_member_with_a_role_keeps_just_that() -> None:
    """A creator does not become a consumer (R7)."""
    eve = active("Eve", CREATOR)

    change = joining(facts(eve, projects=[LAB]), *pieces("eve@contoso.test"))

    assert change.answer[0].member == replace(inside(eve, MEMBER), version=eve.version + 1)
    assert [event.type for event in change.events] == [EventType.PROJECT_ROLE_ASSIGNED]


def test_a_key_comes_into_a_project_without_the_default_role() -> None:
    """Keys do not get it (R7)."""
    robot = key("Robot")

    change = joining(facts(robot, projects=[LAB]), existing(robot))

    assert told(change) is Outcome.ADDED
    assert (change.edits[0].after.roles, change.edits[0].after.roles_in(LAB.id)) == ((), (MEMBER,))


def test_somebody_gets_a_further_role_in_a_project() -> None:
    """Beside the one held there; again is unchanged (R3)."""
    cy = inside(CY, MEMBER)
    known = facts(cy, projects=[LAB])

    change = joining(known, *pieces("cy@contoso.test"), to=CONTRIBUTOR)

    assert told(change) is Outcome.ROLE_ADDED
    assert change.answer[0].member.roles_in(LAB.id) == (MEMBER, CONTRIBUTOR)
    assert told(joining(known, *pieces("cy@contoso.test"))) is Outcome.UNCHANGED


def test_an_invited_person_comes_into_a_project_without_a_second_mail() -> None:
    """Signing in activates all (R3, R10)."""
    change = joining(facts(BO, projects=[LAB]), *pieces("bo@contoso.test"))

    assert (told(change), change.mails) == (Outcome.ROLE_ADDED, ())
    assert change.answer[0].member.status is Status.INVITED


def test_an_expired_invitation_is_opened_again_by_adding_to_a_project() -> None:
    """With the project's role, and a mail (R9)."""
    bo = invited("Bo", invitation=EXPIRED)

    change = joining(facts(bo, projects=[LAB]), *pieces("bo@contoso.test"))

    assert told(change) is Outcome.INVITED
    assert change.mails[0].roles_in(LAB.id) == (MEMBER,)
    assert [event.type for event in change.events] == [EventType.INVITATION_RESENT, EventType.PROJECT_ROLE_ASSIGNED]


def test_a_key_may_make_owners() -> None:
    """What it may not give is the tenant's top role (R31)."""
    assert told(joining(facts(projects=[LAB]), *pieces("eve@x.test"), to=OWNER, actor=acting(ROBOT))) is Outcome.INVITED


def test_nobody_comes_into_a_project_that_there_is_not() -> None:
    """An id of another tenant is the id of nothing (R27)."""
    with pytest.raises(NotFound):
        joining(facts(), *pieces("eve@x.test"))


def test_the_allowed_domains_bind_owners_of_projects_too() -> None:
    """They are about newcomers, whoever invites (R9)."""
    known = replace(settings(allowed_email_domains=("contoso.test",)), projects=Known({LAB.id: LAB}))

    assert told(joining(known, *pieces("eve@x.test"))) is EmailDomainNotAllowed


# All or nothing


def test_all_are_added_or_none() -> None:
    """Those that stand in the way are named by their place (R2)."""
    with pytest.raises(SomeRejected) as refused:
        add_all(facts(), pieces("eve@x.test; nonsense"), Target(role()), actor=acting(ADA))

    assert {at: type(refusal) for at, refusal in refused.value.refusals.items()} == {1: InvalidEmail}


def test_all_are_added_when_nothing_stands_in_the_way() -> None:
    """Duplicates do not (R2)."""
    change = add_all(facts(), pieces("eve@x.test; EVE@x.test"), Target(role()), actor=acting(ADA))

    assert [result.outcome for result in change.answer] == [Outcome.INVITED, Outcome.DUPLICATE]


# The order of refusals


def test_what_cannot_be_read_is_said_first() -> None:
    """Then the kind, then the department, then the directory, then what is stored."""
    user = Target(CLASSIC.application_roles[0])
    guest = replace(acting(ADA), guest=True)
    steps = {
        InvalidEmail: picked("It", Kind.GROUP, refusal=InvalidEmail("why"), department="Sales"),
        KindNotAllowed: picked("It", Kind.GROUP, department="Sales"),
        InvalidRequest: picked("It", department="Sales"),
        GuestsAddManually: picked("It"),
        OneRoleOnly: pieces("cy@contoso.test")[0],
    }
    known = classic(active("Cy", RoleId("bi-manager")))

    assert [told(add(known, [piece], user, actor=guest)) for piece in steps.values()] == list(steps)
