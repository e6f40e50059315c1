"""Tenants: created by operators, looked at by their people."""

from typing import Any

import pytest

from shared.domain.principals import TenantId
from tests.functions.app import Api, MemoryApp, Reply
from tests.functions.endpoints import BODIES
from tests.identity.issuer import FABRIKAM

INITECH: dict[str, Any] = {
    "id": "initech",
    "product": "integrate",
    "name": "Initech",
    "url": "https://initech.integrate.test",
    "directoryId": None,
    "settings": {
        "userLookup": False,
        "groupLookup": False,
        "invitationDays": None,
        "newKeysStartWithoutRights": False,
        "allowedEmailDomains": [],
        "locale": "en",
    },
    "createdAt": "2030-01-02T03:04:05.000Z",
}


async def creating(api: Api, **fields: object) -> Reply:
    """Let an operator create a tenant; `fields` come on top of a good request."""
    body = BODIES["create_tenant"] | fields
    return await api("create_tenant", by="Olga", body={name: value for name, value in body.items() if value != ...})


def pointers(reply: Reply) -> list[str]:
    """Tell where a request is wrong."""
    return [error["pointer"] for error in reply.json["errors"]]


async def test_a_tenant_is_created(api: Api) -> None:
    """With all settings at their defaults; look-ups are off (R5)."""
    reply = await creating(api)

    assert (reply.status, reply.json) == (201, INITECH)


async def test_settings_can_be_given_at_once(api: Api) -> None:
    """Domains are spelt as addresses have them, each once."""
    reply = await creating(
        api,
        directoryId="c0000000-0000-4000-8000-000000000001",
        userLookup=True,
        groupLookup=True,
        invitationDays=14,
        newKeysStartWithoutRights=True,
        allowedEmailDomains=[" Contoso.test", "contoso.test", "müller.test"],
        locale="de-AT",
    )

    assert reply.json == INITECH | {
        "directoryId": "c0000000-0000-4000-8000-000000000001",
        "settings": {
            "userLookup": True,
            "groupLookup": True,
            "invitationDays": 14,
            "newKeysStartWithoutRights": True,
            "allowedEmailDomains": ["contoso.test", "xn--mller-kva.test"],
            "locale": "de-AT",
        },
    }


async def test_the_administrators_are_invited(api: Api, app: MemoryApp) -> None:
    """Each with a mail, into the top role; none of them is in yet (R4, R16)."""
    await creating(api, administrators=["ada@contoso.test", "dee@contoso.test"])

    assert [tenant for tenant, _ in app.tenants.queued] == ["initech", "initech"]
    unproved = {"Authorization": f"Bearer {api.token('Ada', xms_edov=False, acct=1)}"}
    assert (await api("get_tenant", headers=unproved, tenant="initech")).problem == (404, "not-found")
    assert (await api("get_tenant", by="Ada", tenant="initech")).status == 200


async def test_the_first_administrator_comes_in_by_signing_in(api: Api) -> None:
    """And finds the record of the creation, made by the operator (R10, R26)."""
    await creating(api)

    await api("sign_in", by="Ada", body={"product": "integrate"})

    records = (await api("list_records", by="Ada", tenant="initech")).json["items"]
    assert [record["action"] for record in records] == ["invitation.converted", "member.invited", "tenant.created"]
    assert records[2]["actor"] == {"kind": "operator", "id": "olga-in-contoso", "name": "Olga"}
    assert records[2]["target"] == {"kind": "tenant", "id": "initech", "name": "Initech"}


async def test_the_domains_of_a_tenant_do_not_bind_the_operator(api: Api) -> None:
    """Whom the tenant invites later is another matter."""
    reply = await creating(api, administrators=["ada@contoso.test"], allowedEmailDomains=["x.test"])

    assert reply.status == 201


async def test_one_bad_administrator_refuses_the_tenant(api: Api, app: MemoryApp) -> None:
    """All or none: each bad one is pointed at, and the id is still free."""
    reply = await creating(api, administrators=["ada@contoso.test", "nonsense", "@"])

    assert reply.problem == (422, "invalid-email")
    assert pointers(reply) == ["#/administrators/1", "#/administrators/2"]
    assert app.tenants.queued == []
    assert (await creating(api)).status == 201


async def test_a_bad_administrator_is_pointed_at_where_the_request_names_them(api: Api) -> None:
    """Several in one string are one item of the list."""
    reply = await creating(api, administrators=["ada@contoso.test; dee@contoso.test", "nonsense"])

    assert pointers(reply) == ["#/administrators/1"]


@pytest.mark.parametrize(
    "administrators",
    [
        [],
        ...,
        None,
        [""],
        [" ; "],
    ],
)
async def test_a_tenant_has_at_least_one_administrator(api: Api, administrators: object) -> None:
    """Nobody could come in, ever (R16)."""
    reply = await creating(api, administrators=administrators)

    assert reply.problem == (422, "invalid-request")
    assert pointers(reply) == ["#/administrators"]


@pytest.mark.parametrize("together", [False, True])
async def test_a_tenant_begins_with_as_many_administrators_as_one_transaction_holds(
    api: Api, *, together: bool
) -> None:
    """All or none, so they cannot be spread; one more is too many, in whichever way they are listed (413)."""
    people = [f"p{number}@x.test" for number in range(16)]

    too_many = await creating(api, administrators=[";".join(people)] if together else people)

    assert too_many.problem == (413, "payload-too-large")
    assert (await creating(api, administrators=people[:15])).status == 201


@pytest.mark.parametrize("product", ["integrate", "portal"])
async def test_an_id_is_never_used_again(api: Api, app: MemoryApp, product: str) -> None:
    """For no product; and nothing of the tenant that has it changes."""
    reply = await creating(api, id="acme", product=product, administrators=["mallory@x.test"])

    assert reply.problem == (409, "already-exists")
    assert (await api("get_tenant", by="Cy", tenant="acme")).json["name"] == "Acme"
    assert app.tenants.queued == []


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "an id with blanks": ({"id": "a b"}, "#/id"),
    "an id with a separator": ({"id": "a!b"}, "#/id"),
    "a long id": ({"id": "x" * 65}, "#/id"),
    "no id": ({"id": ...}, "#/id"),
    "an unknown product": ({"product": "excel"}, "#/product"),
    "no name": ({"name": " "}, "#/name"),
    "a long name": ({"name": "x" * 201}, "#/name"),
    "no address": ({"url": ""}, "#/url"),
    "a script for an address": ({"url": "javascript:alert(1)"}, "#/url"),
    "a file for an address": ({"url": "file:///etc/passwd"}, "#/url"),
    "an address without a host": ({"url": "https://"}, "#/url"),
    "an address that is broken": ({"url": "https://["}, "#/url"),
    "an address with blanks": ({"url": "https://x.test/a b"}, "#/url"),
    "an address with line ends": ({"url": "https://x.test/\r\nBcc: a"}, "#/url"),
    "a long address": ({"url": "https://x.test/" + "a" * 500}, "#/url"),
    "no time": ({"invitationDays": 0}, "#/invitationDays"),
    "much time": ({"invitationDays": 366}, "#/invitationDays"),
    "time in words": ({"invitationDays": "14"}, "#/invitationDays"),
    "a half": ({"userLookup": 1}, "#/userLookup"),
    "no domain": ({"allowedEmailDomains": ["contoso"]}, "#/allowedEmailDomains/0"),
    "an address for a domain": ({"allowedEmailDomains": ["ada@contoso.test"]}, "#/allowedEmailDomains/0"),
    "an empty domain": ({"allowedEmailDomains": [""]}, "#/allowedEmailDomains/0"),
    "a language": ({"locale": "English"}, "#/locale"),
    "a directory that nobody can sign in at": ({"directoryId": FABRIKAM}, "#/directoryId"),
    "a directory without an id": ({"directoryId": ""}, "#/directoryId"),
}


@pytest.mark.parametrize(("fields", "pointer"), BAD.values(), ids=BAD)
async def test_what_makes_no_sense_is_pointed_at(api: Api, fields: dict[str, Any], pointer: str) -> None:
    """And no tenant is created (422)."""
    reply = await creating(api, **fields)

    assert reply.problem == (422, "invalid-request")
    assert pointers(reply) == [pointer]
    assert (await creating(api)).status == 201


@pytest.mark.parametrize("name", ["Müller & Söhne <GmbH>", "株式会社", "O'Neill; DROP TABLE", "  Initech  "])
async def test_a_name_is_free_text(api: Api, name: str) -> None:
    """Blanks around it are not part of it."""
    assert (await creating(api, name=name)).json["name"] == name.strip()


@pytest.mark.parametrize("person", ["Ada", "Cy", "Olga"])
async def test_a_tenant_is_shown_to_its_people_and_to_operators(api: Api, person: str) -> None:
    """Whatever their roles."""
    reply = await api("get_tenant", by=person, tenant="acme")

    assert (reply.status, reply.json["id"], reply.json["product"]) == (200, TenantId("acme"), "integrate")


async def test_an_operator_is_told_when_there_is_no_such_tenant(api: Api) -> None:
    """404, as for anybody."""
    assert (await api("get_tenant", by="Olga", tenant="none")).problem == (404, "not-found")


async def test_nobody_is_an_operator_by_name(api: Api) -> None:
    """The directory says so in `roles`; other roles are none of ours."""
    headers = {"Authorization": f"Bearer {api.token('Olga', roles=['Reader'])}"}

    assert (await api("create_tenant", headers=headers, body=BODIES["create_tenant"])).problem == (403, "forbidden")
