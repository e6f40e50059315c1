"""Me: what the caller is and may do in a tenant."""

from tests.functions.app import Api
from tests.identity.clock import Clock


async def me(api: Api, person: str = "Cy", **claims: object) -> dict[str, object]:
    """Ask who one is, with a token that was issued at this moment."""
    headers = {"Authorization": f"Bearer {api.token(person, **claims)}"}
    answer: dict[str, object] = (await api("get_me", tenant="acme", headers=headers)).json
    return answer


async def test_somebody_sees_their_own_membership(api: Api) -> None:
    """The "About" page: tenant, member, roles and permissions (R24)."""
    reply = await api("get_me", by="Cy", tenant="acme")

    assert reply.json["tenant"] == (await api("get_tenant", by="Cy", tenant="acme")).json
    alone = (await api("get_member", by="Ada", tenant="acme", member="cy")).json
    assert reply.json["member"] | {"projects": []} == alone
    assert reply.json["roles"] == ["consumer"]
    assert reply.json["permissions"] == ["jobs.view", "agents.view", "notifications.view"]
    assert (reply.json["projects"], reply.json["groups"]) == ([], [])


async def test_roles_of_a_token_are_not_believed(api: Api) -> None:
    """What somebody may do is stored here and nowhere else."""
    answer = await me(api, roles=["administrator", "Administrator"])

    assert answer["roles"] == ["consumer"]
    assert "members.manage" not in str(answer["permissions"])


async def test_nobody_has_to_sign_in_again_without_reason(api: Api) -> None:
    """Reading, or a token that is renewed, is none (R14)."""
    assert (await me(api))["signInAgain"] is False


async def test_who_signed_in_before_a_change_has_to_sign_in_again(api: Api, clock: Clock) -> None:
    """`auth_time` counts: renewing the token is not signing in (R14)."""
    signed_in_at = int(clock())
    clock.turn(60)
    await api("assign_role", by="Ada", tenant="acme", member="cy", role="project-creator")
    clock.turn(60)

    assert (await me(api, auth_time=signed_in_at))["signInAgain"] is True
    assert (await me(api, auth_time=int(clock())))["signInAgain"] is False


async def test_without_a_time_of_signing_in_the_token_is_as_old_as_itself(api: Api, clock: Clock) -> None:
    """`iat` stands in (R14)."""
    old = {"Authorization": f"Bearer {api.token('Cy')}"}
    clock.turn(60)
    await api("assign_role", by="Ada", tenant="acme", member="cy", role="project-creator")
    clock.turn(60)

    assert (await api("get_me", tenant="acme", headers=old)).json["signInAgain"] is True
    assert (await me(api))["signInAgain"] is False


async def test_somebody_elses_change_makes_nobody_sign_in_again(api: Api, clock: Clock) -> None:
    """Nor does an attempt that has changed nothing (R14)."""
    signed_in_at = int(clock())
    clock.turn(60)
    await api("assign_role", by="Ada", tenant="acme", member="dee", role="project-creator")
    await api("assign_role", by="Ada", tenant="acme", member="cy", role="consumer")

    assert (await me(api, auth_time=signed_in_at))["signInAgain"] is False


async def test_the_version_of_roles_changes_with_them(api: Api) -> None:
    """And with nothing else: front ends compare it."""
    first, second = (await me(api))["rolesVersion"], (await me(api))["rolesVersion"]
    await api("assign_role", by="Ada", tenant="acme", member="cy", role="project-creator")

    assert first == second != (await me(api))["rolesVersion"]


async def test_the_version_of_roles_is_that_of_signing_in(api: Api) -> None:
    """Both answers speak of the same roles."""
    signed_in = await api("sign_in", by="Cy", body={"product": "integrate"})

    assert signed_in.json["tenants"][0]["rolesVersion"] == (await me(api))["rolesVersion"]


async def test_an_operator_is_nobody_in_a_tenant(api: Api) -> None:
    """There is no membership to show."""
    assert (await api("get_me", by="Olga", tenant="acme")).problem == (404, "not-found")
