from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.access import permissions_in, permissions_of
from shared.domain.adding import Target, add
from shared.domain.change import Change, Edit, Facts, Known, NotRead
from shared.domain.events import Details, Event, EventType
from shared.domain.membership import NEVER_MAILED, Invitation, Mailed, Member, Ref, Status
from shared.domain.principals import Kind, MemberId, Person, ProjectId, RoleId
from shared.domain.removal import administrators_after
from shared.domain.sign_in import group_identities, sign_in
from tests.people import (
    ADA,
    ADMINISTRATOR,
    AT,
    BO,
    CLASSIC,
    CONSUMER,
    CREATOR,
    CY,
    DATA_TEAM,
    DEE,
    INTEGRATE,
    LAB,
    MEMBER,
    OLGA,
    OWNER,
    active,
    address_of,
    facts,
    identity_of,
    inside,
    invited,
    pieces,
    signing_in,
    tenant_of,
)

LATER = AT + timedelta(days=1)
BO_SIGNS_IN = signing_in("Bo")


def test_signing_in_turns_an_invitation_into_a_member() -> None:
    """Sign-in alone accepts: status, identity and name, and nothing is left to accept (R10, R11)."""
    change = sign_in(facts(BO, at=LATER), BO_SIGNS_IN)

    after = change.answer
    assert after
    assert (after.id, after.status, after.invitation) == (BO.id, Status.ACTIVE, None)
    assert (after.identity, after.name, after.email) == (identity_of("Bo"), "Bo", address_of("Bo"))
    assert after.signed_in_at == LATER
    assert change.edits == (Edit(BO, after),)


def test_signing_in_activates_all_roles() -> None:
    """Roles that were added while the person was still invited, too (R3, R10)."""
    bo = invited("Bo", CONSUMER, CREATOR)

    after = sign_in(facts(bo), BO_SIGNS_IN).answer

    assert after
    assert after.roles == (CONSUMER, CREATOR)


def test_signing_in_does_not_make_anybody_sign_in_again() -> None:
    """The roles are as old as the invitation: the token that converts them is newer (R14)."""
    after = sign_in(facts(BO, at=LATER), BO_SIGNS_IN).answer

    assert after
    assert after.roles_changed_at == BO.roles_changed_at


def test_a_conversion_is_recorded_once() -> None:
    """Who became active, from which roles (R26)."""
    (event,) = sign_in(facts(BO), BO_SIGNS_IN).events

    assert event.type == EventType.INVITATION_CONVERTED
    assert event.before == {"roles": (CONSUMER,), "projects": (), "status": "invited", "merged": ()}
    assert event.after == {"roles": (CONSUMER,), "projects": (), "status": "active"}


def test_signing_in_again_changes_nothing() -> None:
    """Hooks are repeated, and come at the same time (R10)."""
    active_bo = sign_in(facts(BO), BO_SIGNS_IN).answer

    assert active_bo
    assert sign_in(facts(active_bo, at=LATER - timedelta(seconds=1)), BO_SIGNS_IN) == Change(active_bo)


def test_a_conversion_that_is_seen_by_its_address_first_is_not_missed() -> None:
    """Of two calls at once, one converts; the other may read the address after that, and the identity before (R10)."""
    bo = active("Bo")
    torn = replace(facts(ADA, bo), by_identity=facts(ADA).by_identity)

    change = sign_in(torn, signing_in("Bo"))

    assert change == Change(bo)
    assert sign_in(torn, signing_in("Eve", address=bo.email, proof=None)) == Change(None)


def test_once_a_day_it_is_noted_that_somebody_was_here() -> None:
    """Which is no change that anybody asked for, and leaves no record."""
    change = sign_in(facts(CY, at=LATER), signing_in("Cy"))

    assert change.edits == (Edit(CY, CY.edited(signed_in_at=LATER)),)
    assert change.events == ()


def test_the_first_sign_in_that_is_known_of_is_noted() -> None:
    """Whatever the day."""
    cy = replace(CY, signed_in_at=None)

    assert sign_in(facts(cy), signing_in("Cy")).answer == cy.edited(signed_in_at=AT)


def test_a_stranger_is_nobody_here() -> None:
    """Somebody else's invitation is not looked at."""
    assert sign_in(facts(BO), signing_in("Mallory")) == Change(None)


def test_an_address_without_evidence_converts_nothing() -> None:
    """Anybody can own a directory and write any address into it (R11)."""
    mallory = signing_in("Mallory", address=address_of("Bo"), proof=None)

    assert sign_in(facts(BO), mallory) == Change(None)


def test_a_person_without_an_address_converts_nothing() -> None:
    """There is no invitation to nobody."""
    assert sign_in(facts(BO), signing_in("Mallory", address=None)) == Change(None)


def test_an_invitation_of_an_identity_needs_no_address() -> None:
    """Chosen from the directory, the person is known by object id (R11)."""
    bo = invited("Bo", identity=identity_of("Bo"))

    after = sign_in(facts(bo), signing_in("Bo", address=None, proof=None)).answer

    assert after
    assert after.status is Status.ACTIVE


def test_an_invitation_of_an_identity_is_not_for_whoever_has_its_address() -> None:
    """The address was passed on; the invitation was not (R11)."""
    bo = invited("Bo", identity=identity_of("Bo"))

    assert sign_in(facts(bo), signing_in("Mallory", address=address_of("Bo"))) == Change(None)


def test_a_bound_member_is_not_given_to_the_next_owner_of_the_address() -> None:
    """What is bound stays bound, with all proof in the world (R11); only the address goes (R32)."""
    change = sign_in(facts(CY), signing_in("Mallory", address=address_of("Cy")))

    assert change.answer is None
    assert change.edits == (Edit(CY, CY.edited(email=None)),)
    assert change.events == (
        Event(EventType.MEMBER_CHANGED, CY.ref, {"addressReleased": False}, {"addressReleased": True}),
    )


def test_a_bound_member_stays_under_any_address() -> None:
    """A new address takes nothing away (R11), and moves with the person (R32)."""
    change = sign_in(facts(CY), signing_in("Cy", address=address_of("Married")))

    assert change.answer == CY.edited(email=address_of("Married"), mailed=NEVER_MAILED)
    assert change.edits == (Edit(CY, change.answer),)
    assert change.events == (Event(EventType.MEMBER_CHANGED, CY.ref, {"addressMoved": False}, {"addressMoved": True}),)


def test_an_address_without_evidence_moves_nobody() -> None:
    """A directory can write any address into a token (R11, R32)."""
    assert sign_in(facts(CY), signing_in("Cy", address=address_of("Married"), proof=None)) == Change(CY)


def test_an_address_without_evidence_releases_nothing() -> None:
    """Nobody loses an address to somebody who only says that it is theirs (R11, R32)."""
    assert sign_in(facts(CY), signing_in("Mallory", address=address_of("Cy"), proof=None)) == Change(None)


def test_an_address_moves_from_its_last_owner_to_the_next() -> None:
    """Both are members: one loses it, the other one has it, and the mails of the day are counted on (R32)."""
    dee = replace(DEE, email=None)

    change = sign_in(facts(CY, dee), signing_in("Dee", address=address_of("Cy")))

    assert change.answer == dee.edited(email=address_of("Cy"), mailed=CY.mailed)
    assert change.edits == (Edit(CY, CY.edited(email=None)), Edit(dee, change.answer))
    assert [event.target for event in change.events] == [CY.ref, dee.ref]


def test_adding_the_address_later_means_its_new_owner() -> None:
    """Whoever had it before is not given another role (R32)."""
    dee = replace(DEE, email=None)
    known = facts(CY, dee)
    changed = sign_in(known, signing_in("Dee", address=address_of("Cy")))
    later = facts(*(edit.after for edit in changed.edits if edit.after))

    (result,) = add(later, pieces("cy@contoso.test"), Target(INTEGRATE.application_role(CREATOR)), actor=OLGA).answer

    assert result.member
    assert result.member.id == DEE.id


def test_an_invitation_keeps_the_address_that_it_waits_under() -> None:
    """One of somebody else, or one that has expired, is found by it: the member keeps the old address (R9, R32)."""
    for waiting in (
        invited("Bo", identity=identity_of("Bo")),
        invited("Bo", invitation=Invitation(open_until=AT)),
    ):
        assert sign_in(facts(CY, waiting), signing_in("Cy", address=address_of("Bo"))) == Change(CY)


def test_an_expired_invitation_does_not_convert() -> None:
    """It stays visible, and can be sent again (R9)."""
    expired = invited("Bo", invitation=Invitation(open_until=AT))

    assert sign_in(facts(expired), BO_SIGNS_IN) == Change(None)


def test_an_invitation_converts_until_its_end() -> None:
    """And not a moment longer (R9)."""
    bo = invited("Bo", invitation=Invitation(open_until=AT + timedelta(milliseconds=1)))

    after = sign_in(facts(bo), BO_SIGNS_IN).answer

    assert after
    assert after.status is Status.ACTIVE


def test_an_invited_person_without_an_invitation_does_not_convert() -> None:
    """A row that makes no sense opens nothing."""
    assert sign_in(facts(invited("Bo", invitation=None)), BO_SIGNS_IN) == Change(None)


def test_a_name_that_was_given_stays() -> None:
    """What an administrator has chosen from the directory is not the token's to change."""
    after = sign_in(facts(invited("Bo", name="Bo Derek")), BO_SIGNS_IN).answer

    assert after
    assert after.name == "Bo Derek"


def test_an_invitation_is_merged_into_the_active_member() -> None:
    """Invited under another address, a member gets the roles of both, and one row remains (R12)."""
    second = invited("Cyrus", CREATOR, id=MemberId("second"))

    change = sign_in(facts(CY, second), signing_in("Cy", address=address_of("Cyrus")))

    assert change.answer
    assert (change.answer.id, change.answer.roles) == (CY.id, (CONSUMER, CREATOR))
    assert change.answer.email == address_of("Cyrus")
    assert change.edits == (Edit(CY, change.answer), Edit(second, None))


def test_a_merger_names_both_in_one_record() -> None:
    """The row that disappears is still to be found in the audit (R12)."""
    second = inside(invited("Cyrus", CREATOR, id=MemberId("second")), OWNER)
    known = facts(CY, second, projects=[LAB])

    (event,) = sign_in(known, signing_in("Cy", address=address_of("Cyrus"))).events

    assert event.target.id == CY.id
    assert event.before == {"roles": (CONSUMER,), "projects": (), "status": "active", "merged": ("second",)}
    assert event.after == {
        "roles": (CONSUMER, CREATOR),
        "projects": (LAB.id,),
        "projectRoles": ("lab/owner",),
        "status": "active",
    }


def two_invitations(*, older: str) -> Facts:
    """Invite Bo by identity and by address, one after the other."""
    times = {older: AT - timedelta(days=1)}
    by_identity = invited(
        "Bo",
        CREATOR,
        id=MemberId("identity"),
        identity=identity_of("Bo"),
        email=None,
        created_at=times.get("identity", AT),
    )
    by_address = invited("Bo", id=MemberId("address"), created_at=times.get("address", AT))
    return facts(by_identity, by_address)


@pytest.mark.parametrize(("older", "roles"), [("identity", (CREATOR, CONSUMER)), ("address", (CONSUMER, CREATOR))])
def test_of_two_invitations_the_older_remains(older: str, roles: tuple[str, ...]) -> None:
    """With the roles of both, and an address if one of them has it (R12)."""
    change = sign_in(two_invitations(older=older), BO_SIGNS_IN)

    assert change.answer
    assert (change.answer.id, change.answer.roles) == (older, roles)
    assert change.answer.email == address_of("Bo")
    assert [edit.after for edit in change.edits] == [change.answer, None]


def test_merged_roles_are_as_new_as_the_newest() -> None:
    """Somebody signed in before the second invitation has to sign in again (R14)."""
    second = invited("Cyrus", CREATOR, id=MemberId("second"), roles_changed_at=LATER)

    after = sign_in(facts(CY, second, at=LATER), signing_in("Cy", address=address_of("Cyrus"))).answer

    assert after
    assert after.roles_changed_at == LATER


def test_roles_of_unknown_age_are_as_new_as_the_sign_in() -> None:
    """Rather once too often than never (R14)."""
    after = sign_in(facts(invited("Bo", roles_changed_at=None), at=LATER), BO_SIGNS_IN).answer

    assert after
    assert after.roles_changed_at == LATER


def classic(*members: Member) -> Facts:
    """Tell what a tenant of Integrate Classic has stored."""
    return facts(*members, tenant=tenant_of(CLASSIC))


def test_where_one_role_is_all_there_is_the_active_one_stays() -> None:
    """Integrate Classic: an invitation does not promote whoever is in already (R12)."""
    user, manager = CLASSIC.application_roles[:2]
    eve = active("Eve", user.id)
    second = invited("Eva", manager.id, id=MemberId("second"))

    change = sign_in(classic(eve, second), signing_in("Eve", address=address_of("Eva")))

    assert change.answer
    assert change.answer.roles == (user.id,)
    assert change.edits[1] == Edit(second, None)


def test_where_one_role_is_all_there_is_a_member_without_one_gets_it() -> None:
    """Nothing is there that could stay (R12)."""
    user = CLASSIC.application_roles[0]
    eve = active("Eve").holding([], at=AT)
    second = invited("Eva", user.id, id=MemberId("second"))

    after = sign_in(classic(eve, second), signing_in("Eve", address=address_of("Eva"))).answer

    assert after
    assert after.roles == (user.id,)


def test_an_invitation_to_the_top_role_converts_as_any_other() -> None:
    """The first administrator comes in like this (R10, R16)."""
    after = sign_in(facts(invited("Ada", ADMINISTRATOR)), signing_in("Ada")).answer

    assert after
    assert (after.roles, after.identity) == ((ADMINISTRATOR,), ADA.identity)


# What else is merged


SHED = ProjectId("shed")


def test_merging_brings_project_roles_together() -> None:
    """Each once, those of the active member first; listed under the name that the person has (R12)."""
    cy = inside(CY, MEMBER)
    second = inside(inside(invited("Cyrus", id=MemberId("second")), OWNER, MEMBER), MEMBER, project=SHED)

    known = facts(cy, second, projects=[LAB, replace(LAB, id=SHED)])

    after = sign_in(known, signing_in("Cy", address=address_of("Cyrus"))).answer

    assert after
    assert {project: place.roles for project, place in after.projects.items()} == {
        LAB.id: (MEMBER, OWNER),
        SHED: (MEMBER,),
    }
    assert {place.listed_as for place in after.projects.values()} == {"Cy"}


def test_merging_brings_nobody_into_a_project_that_is_gone() -> None:
    """What is being cleared away gives nothing any more, and nothing new comes to it (R12, R22)."""
    second = inside(inside(invited("Cyrus", id=MemberId("second")), OWNER), MEMBER, project=SHED)

    after = sign_in(facts(CY, second, projects=[LAB]), signing_in("Cy", address=address_of("Cyrus"))).answer

    assert after
    assert list(after.projects) == [LAB.id]


def test_merging_is_not_decided_without_knowing_the_projects() -> None:
    """Whether they are still there has to be asked first."""
    second = inside(invited("Cyrus", id=MemberId("second")), OWNER)
    known = replace(facts(CY, second), projects=Known(asked=frozenset()))

    with pytest.raises(NotRead):
        sign_in(known, signing_in("Cy", address=address_of("Cyrus")))


def test_merging_keeps_project_roles_where_one_application_role_is_all_there_is() -> None:
    """The active role stays; a department comes with it, or not at all (R12, R33)."""
    user, developer = RoleId("bi-user"), RoleId("bi-developer")
    second = invited("Eva", developer, id=MemberId("second"), department="Sales")
    person = signing_in("Eve", address=address_of("Eva"))

    promoted = sign_in(classic(active("Eve", user), second), person).answer
    same = sign_in(classic(active("Eve", developer), second), person).answer

    assert promoted
    assert same
    assert (promoted.roles, promoted.department) == ((user,), None)
    assert (same.roles, same.department) == ((developer,), "Sales")


def test_a_merger_may_make_an_administrator() -> None:
    """An invitation to the top role, under another address (R12, R16)."""
    second = invited("Cyrus", ADMINISTRATOR, id=MemberId("second"))

    change = sign_in(facts(CY, second), signing_in("Cy", address=address_of("Cyrus")))

    assert administrators_after(0, change.edits, INTEGRATE) == 1


def test_a_merger_goes_on_with_the_mails_of_the_address() -> None:
    """Three a day to one address, whatever becomes of its member."""
    second = invited("Cyrus", id=MemberId("second"), mailed=Mailed(AT.date(), 3))

    after = sign_in(facts(CY, second), signing_in("Cy", address=address_of("Cyrus"))).answer

    assert after
    assert after.mailed == Mailed(AT.date(), 3)


def test_three_rows_of_one_person_become_one() -> None:
    """Active, invited by address, and the address was another member's before (R12, R32)."""
    by_address = invited("Cyrus", CREATOR, id=MemberId("second"))
    old = replace(DEE, email=None)

    change = sign_in(facts(CY, by_address, old), signing_in("Cy", address=address_of("Cyrus")))

    assert [edit.after and edit.after.id for edit in change.edits] == [CY.id, None]


def test_a_name_that_the_person_has_decides_where_projects_list_them() -> None:
    """Invited by address, they were listed by it (R25)."""
    after = sign_in(facts(inside(BO, MEMBER)), BO_SIGNS_IN).answer

    assert after
    assert after.projects[LAB.id].listed_as == "Bo"


# Groups


TEAM = inside(replace(DATA_TEAM, identity=identity_of("Team")), MEMBER)
OTHERS = replace(DATA_TEAM, id=MemberId("others"), identity=identity_of("Others"), roles=(CREATOR,))


def grouped(person: str, *groups: str, **fields: object) -> Person:
    """Let somebody sign in with a token that lists all of their groups."""
    return signing_in(person, groups=frozenset(identity_of(group).subject for group in groups), **fields)


def test_a_token_names_groups_of_its_own_directory() -> None:
    """In an order of their own; none where it does not list them (R13)."""
    assert list(group_identities(grouped("Eve", "B", "A"))) == [identity_of("A"), identity_of("B")]
    assert list(group_identities(signing_in("Eve"))) == []


def test_somebody_gets_in_by_a_group_alone() -> None:
    """Active, with no roles of their own; the group's count as theirs (R13)."""
    known = facts(TEAM, OTHERS, projects=[LAB], at=LATER)

    change = sign_in(known, grouped("Eve", "Team", "Unassigned"))

    eve = change.answer
    assert eve == Member(
        id=MemberId(known.mint(str(identity_of("Eve")))),
        kind=Kind.USER,
        status=Status.ACTIVE,
        created_at=LATER,
        created_by=Ref("system", "sign-in", "Sign-in"),
        name="Eve",
        email=address_of("Eve"),
        identity=identity_of("Eve"),
        groups=(TEAM.id,),
        signed_in_at=LATER,
    )
    assert change.edits == (Edit(None, eve),)
    assert change.events == (Event(EventType.MEMBER_ADDED, eve.ref, after={"groups": (TEAM.id,)}),)
    assert permissions_of(known, eve) == permissions_of(known, CY)
    assert permissions_in(known, eve, LAB.id) == ("project.jobs.view",)


def test_an_address_without_evidence_is_not_taken_by_whoever_gets_in_by_a_group() -> None:
    """They are known by identity alone (R11, R13)."""
    change = sign_in(facts(TEAM, BO), grouped("Mallory", "Team", address=address_of("Bo"), proof=None))

    assert change.answer
    assert change.answer.email is None


def test_who_gets_in_by_a_group_takes_the_address_over() -> None:
    """From whoever had it before, with the count of its mails (R13, R32)."""
    change = sign_in(facts(TEAM, CY), grouped("Eve", "Team", address=address_of("Cy")))

    assert change.edits[0] == Edit(CY, CY.edited(email=None))
    assert change.answer
    assert (change.answer.email, change.answer.mailed) == (address_of("Cy"), CY.mailed)


def test_who_gets_in_by_a_group_never_counts_as_an_administrator() -> None:
    """Not even by a group of administrators (R13, R16)."""
    team = replace(TEAM, roles=(ADMINISTRATOR,))

    assert administrators_after(0, sign_in(facts(team), grouped("Eve", "Team")).edits, INTEGRATE) == 0


@pytest.mark.parametrize("groups", [(), ("Unassigned",), ("Bo",)], ids=["none", "not assigned", "a person"])
def test_nobody_gets_in_by_what_is_no_assigned_group(groups: tuple[str, ...]) -> None:
    """Only groups of this tenant count (R13)."""
    assert sign_in(facts(TEAM, active("Bo")), grouped("Eve", *groups)) == Change(None)


def test_groups_are_remembered_with_a_conversion() -> None:
    """Both at once: an invitation, and a group (R10, R13)."""
    change = sign_in(facts(BO, TEAM), grouped("Bo", "Team"))

    after = change.answer
    assert after
    assert (after.status, after.roles, after.groups) == (Status.ACTIVE, (CONSUMER,), (TEAM.id,))
    assert [(event.after or {}).get("groups") for event in change.events] == [(TEAM.id,)]


def test_groups_are_those_of_the_last_sign_in() -> None:
    """Some come, some go; nobody has to sign in again because of it (R13, R14)."""
    cy = replace(CY, groups=(TEAM.id,))

    after = sign_in(facts(cy, TEAM, OTHERS), grouped("Cy", "Others")).answer

    assert after
    assert (after.groups, after.roles_changed_at) == ((OTHERS.id,), CY.roles_changed_at)


@pytest.mark.parametrize(
    ("moves", "told"),
    [(False, ({}, {})), (True, ({"addressMoved": False}, {"addressMoved": True}))],
    ids=["alone", "with the address"],
)
def test_a_change_of_groups_is_recorded(*, moves: bool, told: tuple[Details, Details]) -> None:
    """Groups decide who may do what; their order does not (R13, R26)."""
    cy = replace(CY, groups=(TEAM.id,))
    address = address_of("Cyrus" if moves else "Cy")

    (event,) = sign_in(facts(cy, TEAM, OTHERS), grouped("Cy", "Others", address=address)).events

    assert (event.type, event.target) == (EventType.MEMBER_CHANGED, cy.ref)
    assert (event.before, event.after) == ({"groups": (TEAM.id,), **told[0]}, {"groups": (OTHERS.id,), **told[1]})


def test_groups_that_are_not_told_are_those_last_seen() -> None:
    """A token that lists too many to list them says nothing; never silently none (R13)."""
    eve = active("Eve", roles=(), groups=(TEAM.id,))

    assert sign_in(facts(eve, TEAM), signing_in("Eve")) == Change(eve)


def test_groups_that_are_not_told_are_those_last_seen_after_a_merger_too() -> None:
    """The active member's (R12, R13)."""
    cy = replace(CY, groups=(TEAM.id,))
    second = invited("Cyrus", id=MemberId("second"))

    after = sign_in(facts(cy, second, TEAM), signing_in("Cy", address=address_of("Cyrus"))).answer

    assert after
    assert after.groups == (TEAM.id,)


def test_who_had_nothing_but_groups_goes_with_the_last_one() -> None:
    """At the next sign-in, and the audit says so (R13)."""
    eve = active("Eve", roles=(), groups=(TEAM.id,))

    change = sign_in(facts(eve, TEAM), grouped("Eve"))

    assert (change.answer, change.edits) == (None, (Edit(eve, None),))
    assert change.events == (Event(EventType.MEMBER_REMOVED, eve.ref, {"groups": (TEAM.id,)}),)


@pytest.mark.parametrize(
    "member",
    [active("Eve", groups=(TEAM.id,)), inside(active("Eve", roles=(), groups=(TEAM.id,)), MEMBER)],
    ids=["a role", "a project"],
)
def test_who_has_anything_of_their_own_stays_without_groups(member: Member) -> None:
    """In the tenant or in a project (R13)."""
    after = sign_in(facts(member, TEAM), grouped("Eve")).answer

    assert after
    assert after.groups == ()


def test_who_never_had_a_group_does_not_go() -> None:
    """Somebody who left their last project is still a member (R13, R20)."""
    eve = active("Eve", roles=())

    assert sign_in(facts(eve), grouped("Eve")) == Change(eve)


def test_an_invitation_that_has_expired_gives_way_to_a_group() -> None:
    """It does not convert, and one person is one member: who gets in has the group's roles alone (R3, R9, R13)."""
    late = invited("Eve", ADMINISTRATOR, identity=identity_of("Eve"), invitation=Invitation(open_until=AT))

    change = sign_in(facts(late, TEAM), grouped("Eve", "Team"))

    assert change.answer
    assert (change.answer.roles, change.answer.groups, change.answer.email) == ((), (TEAM.id,), late.email)
    assert change.edits == (Edit(late, None), Edit(None, change.answer))
    assert [event.type for event in change.events] == [EventType.MEMBER_REMOVED, EventType.MEMBER_ADDED]


def test_an_invitation_that_has_expired_gives_way_to_one_that_has_not() -> None:
    """It named the person, the other one names their address: one member, with the roles of the latter (R3, R9)."""
    late = invited("Eve", ADMINISTRATOR, identity=identity_of("Eve"), invitation=Invitation(open_until=AT))
    second = invited("Eva", CREATOR, id=MemberId("second"))

    change = sign_in(facts(late, second), signing_in("Eve", address=address_of("Eva")))

    assert change.answer
    assert (change.answer.id, change.answer.roles, change.answer.email) == (second.id, (CREATOR,), address_of("Eva"))
    assert change.edits == (Edit(second, change.answer), Edit(late, None))
    assert [event.type for event in change.events] == [EventType.INVITATION_CONVERTED, EventType.MEMBER_REMOVED]
