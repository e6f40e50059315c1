import pytest

from shared.domain.access import Grant, counts_as_administrator, grant_for, grants, permissions_of, roles_of
from shared.domain.catalogue import Action
from shared.domain.membership import Member
from shared.domain.principals import PermissionId, RoleId
from tests.people import (
    ADA,
    ADMINISTRATOR,
    BO,
    CLASSIC,
    CONSUMER,
    CREATOR,
    CY,
    DATA_TEAM,
    INTEGRATE,
    ROBOT,
    active,
    invited,
)

JOBS = PermissionId("jobs.view")


def test_a_member_has_the_permissions_of_all_roles_in_the_order_of_the_matrix() -> None:
    """Permissions add up, each is told once (R24)."""
    both = active("Eve", CREATOR, CONSUMER)

    assert permissions_of(both, INTEGRATE) == permissions_of(active("Eve", CONSUMER, CREATOR), INTEGRATE)
    assert permissions_of(CY, INTEGRATE) == ("jobs.view", "agents.view", "notifications.view")
    assert permissions_of(ADA, INTEGRATE) == tuple(each.id for each in INTEGRATE.permissions if each.scope == "tenant")


def test_an_invited_person_may_do_nothing() -> None:
    """An invitation to the top role opens nothing before signing in (R12)."""
    promised = invited("Bo", ADMINISTRATOR)

    assert roles_of(promised, INTEGRATE) == ()
    assert permissions_of(promised, INTEGRATE) == ()
    assert grant_for(promised, Action.MANAGE_MEMBERS, INTEGRATE) is None


def test_a_role_that_the_product_no_longer_has_grants_nothing() -> None:
    """What was stored for another catalogue is kept, and means nothing."""
    assert permissions_of(active("Eve", RoleId("retired")), INTEGRATE) == ()


def test_a_grant_names_holder_and_role() -> None:
    """Why a permission is there is as much an answer as whether it is (R28)."""
    roles = INTEGRATE.application_role(CREATOR), INTEGRATE.application_role(ADMINISTRATOR)
    eve = active("Eve", CREATOR, ADMINISTRATOR)

    assert list(grants(eve, JOBS, INTEGRATE)) == [Grant(eve, role) for role in roles]
    assert grant_for(eve, Action.MANAGE_MEMBERS, INTEGRATE) == Grant(eve, roles[1])


def test_a_consumer_may_not_manage_members() -> None:
    """Managing members is a permission of few roles (R1)."""
    assert grant_for(CY, Action.MANAGE_MEMBERS, INTEGRATE) is None


def test_what_no_permission_of_the_product_allows_is_allowed_to_nobody() -> None:
    """Integrate Classic knows no keys, so not even its Group Admins may issue one."""
    admin = active("Ada", CLASSIC.top_role)

    assert grant_for(admin, Action.MANAGE_MEMBERS, CLASSIC)
    assert grant_for(admin, Action.MANAGE_KEYS, CLASSIC) is None


@pytest.mark.parametrize(
    ("member", "counts"),
    [
        (ADA, True),
        (active("Eve", CONSUMER, ADMINISTRATOR), True),
        (CY, False),
        (BO, False),
        (invited("Bo", ADMINISTRATOR), False),
        (DATA_TEAM.holding([ADMINISTRATOR], at=DATA_TEAM.created_at), False),
        (ROBOT.holding([ADMINISTRATOR], at=ROBOT.created_at), False),
        (None, False),
    ],
)
def test_only_active_people_with_the_top_role_are_administrators(member: Member | None, *, counts: bool) -> None:
    """Invitations, groups and keys do not keep a tenant manageable (R16)."""
    assert counts_as_administrator(member, INTEGRATE.top_role) is counts
