"""What all answers have in common: the request's id, the shape of problems, and what is cached."""

import re

import pytest

from tests.functions.app import Api

MADE = re.compile(r"[0-9a-f]{32}")


@pytest.mark.parametrize("given", ["1", "5f1c0e3a-9d7b", "a.b_c-D", "x" * 128])
async def test_a_given_request_id_is_taken(api: Api, given: str) -> None:
    """Front ends can find their own requests in logs and audit."""
    reply = await api("get_me", by="Cy", tenant="acme", headers={"x-request-id": given})

    assert (reply.status, reply.headers["X-Request-Id"]) == (200, given)


HOSTILE = [
    "",
    " ",
    "a b",
    "a\r\nSet-Cookie: b=c",
    "x" * 129,
    "<script>",
    "${jndi:ldap://x}",
    "ä",
    "a\0",
    "a\n",
    "../..",
]


@pytest.mark.parametrize("given", HOSTILE)
async def test_a_hostile_request_id_is_replaced(api: Api, given: str) -> None:
    """It goes into headers, logs and audit records, so it has to be harmless."""
    reply = await api("get_me", by="Cy", tenant="acme", headers={"X-Request-Id": given})

    assert MADE.fullmatch(reply.headers["X-Request-Id"])


async def test_a_missing_request_id_is_made(api: Api) -> None:
    """A new one for each request."""
    ids = {(await api("get_me", by="Cy", tenant="acme")).headers["X-Request-Id"] for _ in range(3)}

    assert len(ids) == 3
    assert all(map(MADE.fullmatch, ids))


async def test_a_request_id_is_in_the_audit(api: Api) -> None:
    """Who asks support about a problem, or about a change, names the same id (R26)."""
    await api("remove_member", by="Ada", tenant="acme", member="cy", headers={"X-Request-Id": "mine"})

    records = await api("list_records", by="Ada", tenant="acme")
    assert [record["requestId"] for record in records.json["items"]] == ["mine"]


async def test_a_problem_has_the_members_of_rfc_9457(api: Api) -> None:
    """And the code, by which front ends decide."""
    reply = await api("get_me", by="Nobody", tenant="acme", headers={"X-Request-Id": "mine"})

    assert reply.headers["Content-Type"] == "application/problem+json; charset=utf-8"
    assert reply.json == {
        "type": "/problems/not-found",
        "title": "There is no such thing here.",
        "status": 404,
        "code": "not-found",
        "detail": "There is no such thing here.",
        "instance": "mine",
    }


async def test_a_problem_with_the_body_says_where(api: Api) -> None:
    """Every fault at once, each with a pointer that a form can follow."""
    body = {"members": [{"kind": "user", "email": 1}, {"kind": "robot", "email": "a@x.test"}]}

    reply = await api("add_members", by="Ada", tenant="acme", body=body)

    assert reply.problem == (422, "invalid-request")
    assert {error["pointer"] for error in reply.json["errors"]} >= {"#/role", "#/members/0/email", "#/members/1/kind"}
    assert all(error["detail"] for error in reply.json["errors"])


async def test_a_problem_repeats_nothing_that_was_sent(api: Api) -> None:
    """What is typed into the wrong field may be a secret."""
    body = {"role": "consumer", "members": [{"kind": "user", "email": ["hunter2"]}], "password": "hunter2"}

    reply = await api("add_members", by="Ada", tenant="acme", body=body)

    assert reply.status == 422
    assert "hunter2" not in reply.text


async def test_success_is_json(api: Api) -> None:
    """In UTF-8."""
    reply = await api("get_me", by="Cy", tenant="acme")

    assert reply.headers["Content-Type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(("person", "status"), [("Cy", 200), (None, 401), ("Nobody", 404)])
async def test_no_answer_is_kept_in_caches(api: Api, person: str | None, status: int) -> None:
    """Answers are about people, and out of date at once (R14)."""
    reply = await api("get_me", by=person, tenant="acme")

    assert (reply.status, reply.headers["Cache-Control"]) == (status, "no-store")


async def test_the_scheme_of_a_credential_is_spelt_in_any_case(api: Api) -> None:
    """As RFC 9110 has it."""
    headers = {"Authorization": f"bEARER {api.token('Cy')}"}

    assert (await api("get_me", tenant="acme", headers=headers)).status == 200
