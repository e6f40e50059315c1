import time
from typing import Any
from uuid import UUID

import jwt
import pytest

from tests.local.identity_provider.running import API, IdentityProvider, running

ADA = "c0000000-0000-4000-8000-000000000101"


@pytest.mark.parametrize("directory", ["contoso", "fabrikam"])
async def test_metadata_and_keys_are_what_a_strict_reader_accepts(provider: IdentityProvider, directory: str) -> None:
    """The issuer is exact, and keys are RSA with 2048 bits, an id and the use `sig`."""
    metadata = await provider.metadata(directory)
    keys = (await provider.keys(directory)).keys

    assert metadata["issuer"] == f"{provider.origin}/{directory}"
    assert {(key.key_type, key.public_key_use, key.key.key_size) for key in keys} == {("RSA", "sig", 2048)}
    assert all(key.key_id for key in keys)


async def test_no_key_is_private(provider: IdentityProvider) -> None:
    """Only the public halves are published."""
    async with provider.http.get((await provider.metadata())["jwks_uri"]) as answer:
        published = await answer.json()

    assert {name for key in published["keys"] for name in key} == {"alg", "e", "kid", "kty", "n", "use"}


async def test_claims_not_given_are_filled_in_as_the_directory_would(provider: IdentityProvider) -> None:
    """An empty request gives a good token for nobody in particular."""
    claims = await provider.claims(directory="fabrikam")

    assert {name: claims.pop(name) for name in ("iss", "tid", "aud", "ver", "azp", "scp")} == {
        "iss": f"{provider.origin}/fabrikam",
        "tid": "fa000000-0000-4000-8000-000000000002",
        "aud": API,
        "ver": "2.0",
        "azp": "a0000000-0000-4000-8000-000000000011",
        "scp": "access_as_user",
    }
    assert UUID(claims.pop("oid")).version == 4
    assert claims.pop("sub")
    assert claims.pop("iat") == claims.pop("nbf") == pytest.approx(time.time(), abs=5)
    assert claims.pop("exp") == pytest.approx(time.time() + 3600, abs=5)
    assert claims == {}


async def test_the_answer_is_a_token_response(provider: IdentityProvider) -> None:
    """What holds for the token endpoint holds here: type and remaining life in seconds."""
    status, answer = await provider.post("/dev/token", {"directory": "contoso", "claims": {}, "appOnly": False})

    assert status == 200
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == pytest.approx(3600, abs=1)
    assert jwt.get_unverified_header(answer["access_token"])["alg"] == "RS256"


async def test_nobody_in_particular_is_somebody_else_every_time(provider: IdentityProvider) -> None:
    """Made-up people do not meet by accident."""
    one, other = await provider.claims(), await provider.claims()

    assert one["oid"] != other["oid"]
    assert one["sub"] != other["sub"]


async def test_given_claims_win_over_all_others(provider: IdentityProvider) -> None:
    """Forgeries of every kind can be signed genuinely: foreign audiences, old times, other issuers."""
    times = {"exp": 1, "nbf": 4_000_000_000, "iat": "soon"}
    forged = {"iss": "https://example.test", "aud": ["a", "b"], "sub": "x", "scp": "", "roles": ["Operator"]} | times

    token = await provider.token(directory="contoso", claims=forged)

    claims = jwt.decode(token, options={"verify_signature": False})
    assert {name: claims[name] for name in forged} == forged


async def test_null_takes_a_claim_away(provider: IdentityProvider) -> None:
    """Tokens with missing claims can be tried."""
    claims = await provider.claims(person="ada", claims={"exp": None, "oid": None, "email": None})

    assert not {"exp", "oid", "email"} & claims.keys()
    assert claims["upn"] == "ada@contoso.test"


async def test_an_address_comes_unverified_unless_said_otherwise(provider: IdentityProvider) -> None:
    """An address alone brings no `xms_edov`, and no other claims of the person who has it."""
    claims = await provider.claims(claims={"email": "ada@contoso.test"})

    assert claims["email"] == "ada@contoso.test"
    assert not {"xms_edov", "upn", "preferred_username", "name"} & claims.keys()
    assert claims["oid"] != ADA


async def test_an_app_only_token_has_neither_scope_nor_person(provider: IdentityProvider) -> None:
    """Such tokens say which app calls, as Entra's do: the subject is the app's own object."""
    claims = await provider.claims(appOnly=True, claims={"azp": "99045fe1-7639-4a75-9d4a-577b6ca3810f"})

    assert sorted(claims) == ["aud", "azp", "exp", "iat", "iss", "nbf", "oid", "sub", "tid", "ver"]
    assert claims["sub"] == claims["oid"]
    assert claims["azp"] == "99045fe1-7639-4a75-9d4a-577b6ca3810f"


async def test_entras_own_app_can_be_played_by_hand(provider: IdentityProvider) -> None:
    """The token with which custom authentication extensions are called, to be tried against hooks."""
    wanted = {"aud": "a0000000-0000-4000-8000-0000000000a2", "azp": "99045fe1-7639-4a75-9d4a-577b6ca3810f"}

    claims = await provider.claims(directory="contoso", appOnly=True, claims=wanted)

    assert claims.items() >= (wanted | {"iss": f"{provider.origin}/contoso", "ver": "2.0"}).items()
    assert not {"scp", "name", "preferred_username"} & claims.keys()


async def test_too_many_groups_are_not_in_the_token(provider: IdentityProvider) -> None:
    """It says where they can be asked for instead, as Entra's tokens do."""
    claims = await provider.claims(person="olive")

    assert "groups" not in claims
    source = claims["_claim_names"]["groups"]
    assert claims["_claim_sources"][source]["endpoint"].endswith(f"/users/{claims['oid']}/getMemberObjects")


async def test_a_known_person_is_always_the_same(provider: IdentityProvider) -> None:
    """Ada keeps her object id and subject, and everything that the file says of her."""
    ada, again = await provider.claims(person="ada"), await provider.claims(person="ada")

    assert (ada["oid"], ada["upn"], ada["preferred_username"]) == (ADA, "ada@contoso.test", "ada@contoso.test")
    assert ada["groups"] == ["c0000000-0000-4000-8000-000000000201", "c0000000-0000-4000-8000-000000000204"]
    assert again["sub"] == ada["sub"]


async def test_mallory_claims_adas_address_without_evidence(provider: IdentityProvider) -> None:
    """The attack that verified addresses are for: another directory, another person, the same `email`."""
    mallory = await provider.claims(directory="fabrikam", person="mallory")

    assert mallory["email"] == "ada@contoso.test"
    assert "xms_edov" not in mallory
    assert mallory["upn"] == "mallory@fabrikam.test"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ([], "The body must be a JSON object."),
        ({"directory": "adatum"}, '"directory" must be one of contoso, fabrikam.'),
        ({"claims": ["oid"]}, '"claims" must be an object.'),
        ({"appOnly": "yes"}, '"appOnly" must be true or false.'),
        ({"person": "mallory"}, '"person" must be one of ada, bo, guest, noel, olive in contoso.'),
        ({"person": "ada", "appOnly": True}, 'A token is either "appOnly" or for a "person".'),
        ({"claim": {}}, "Unknown: claim. Known: directory, person, claims, appOnly, hook."),
    ],
)
async def test_a_malformed_request_for_a_token_is_told_why(
    provider: IdentityProvider, body: Any, sentence: str
) -> None:
    """Typing errors are 400 with one sentence, never a token that is not what was meant."""
    assert await provider.post("/dev/token", body) == (400, {"error": sentence})


@pytest.mark.parametrize(("body", "sentence"), [("{", "The body is not JSON."), (" " * 70_000, "64 KiB")])
async def test_a_body_that_cannot_be_read_is_400(provider: IdentityProvider, body: str, sentence: str) -> None:
    """Broken and huge bodies are refused without looking further."""
    async with provider.http.post(f"{provider.origin}/dev/token", data=body) as answer:
        assert answer.status == 400
        assert sentence in (await answer.json())["error"]


async def test_after_a_rotation_old_tokens_still_verify(provider: IdentityProvider) -> None:
    """New tokens have a new key; the old key stays published for those under way."""
    old = await provider.token(person="ada")

    status, ids = await provider.put("/dev/keys", {"rotate": True, "directory": "contoso"})

    new = await provider.token(person="ada")
    assert status == 200
    assert {key.key_id for key in (await provider.keys()).keys} == set(ids["contoso"])
    assert [jwt.get_unverified_header(token)["kid"] for token in (new, old)] == ids["contoso"][:2]
    assert (await provider.verify(old))["oid"] == (await provider.verify(new))["oid"] == ADA


async def test_dropped_keys_are_published_no_more() -> None:
    """An emergency: tokens signed before cannot be verified any longer, in any directory."""
    async with running() as provider:
        before = {name: await provider.keys(name) for name in ("contoso", "fabrikam")}

        await provider.put("/dev/keys", {"rotate": True, "drop": True})

        after = {name: await provider.keys(name) for name in before}
        ids = [{key.key_id for key in keys.keys} for keys in (*before.values(), *after.values())]
        assert [len(each) for each in ids] == [1, 1, 1, 1]
        assert len(set.union(*ids)) == 4


@pytest.mark.parametrize("body", [{}, {"rotate": False}, {"rotate": True, "drop": 1}, {"rotate": True, "all": True}])
async def test_keys_rotate_only_when_clearly_asked(provider: IdentityProvider, body: dict[str, Any]) -> None:
    """A half-understood order changes nothing."""
    before = [key.key_id for key in (await provider.keys()).keys]

    status, _ = await provider.put("/dev/keys", body)

    assert status == 400
    assert [key.key_id for key in (await provider.keys()).keys] == before
