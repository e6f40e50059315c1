import asyncio
import gc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives import hashes

from shared.domain.evidence import Proof
from shared.domain.principals import Identity
from shared.identity.jwks import KeySource
from shared.identity.refusals import KeysUnavailable, Reason, TokenRefused
from shared.identity.tokens import LEEWAY, REMEMBERED, TokenValidator, Verified
from tests.identity.clock import Clock
from tests.identity.forge import ec_signer, encoded, forged, hmac_signer, pss_signer, rsa_signer
from tests.identity.issuer import (
    AUDIENCE,
    CONTOSO,
    FABRIKAM,
    HOOK_AUDIENCE,
    LIFETIME,
    OMITTED,
    Issuer,
    public_jwk,
)

OID = "0d000000-0000-4000-8000-0000000000ad"
NOW = int(Clock().seconds)
ADA = {"oid": OID, "name": "Ada Byron", "email": "ada@contoso.test"}


async def refusal(validator: TokenValidator, token: str) -> Reason:
    """Return the reason for which a token is refused."""
    with pytest.raises(TokenRefused) as refused:
        await validator.validate(token)
    return refused.value.reason


async def test_an_access_token_speaks_of_a_person(validator: TokenValidator, contoso: Issuer) -> None:
    """Everything that the product believes about a person comes from these claims."""
    person = await validator.validate(contoso.token(**ADA, groups=["g-1", "g-2"]))

    assert person.identity == Identity(CONTOSO, OID)
    assert person.name == "Ada Byron"
    assert person.address == "ada@contoso.test"
    assert person.proof == Proof.VERIFIED_DOMAIN
    assert person.groups == frozenset({"g-1", "g-2"})
    assert person.authenticated_at == NOW
    assert not person.guest
    assert not person.operator


# Claims that are signed by the right key and make the token unacceptable all the same.
WRONG_CLAIMS: dict[str, tuple[dict[str, Any], Reason]] = {
    "no issuer": ({"iss": OMITTED}, Reason.ISSUER),
    "an issuer that is null": ({"iss": None}, Reason.ISSUER),
    "an issuer that is a list": ({"iss": ["https://login.test"]}, Reason.ISSUER),
    "an issuer nobody configured": ({"iss": "https://login.test/contoso"}, Reason.ISSUER),
    "an empty issuer": ({"iss": ""}, Reason.ISSUER),
    "no audience": ({"aud": OMITTED}, Reason.AUDIENCE),
    "another audience": ({"aud": "a0000000-0000-4000-8000-0000000000a2"}, Reason.AUDIENCE),
    "an audience in capitals": ({"aud": AUDIENCE.upper()}, Reason.AUDIENCE),
    "an audience that begins like ours": ({"aud": AUDIENCE + "1"}, Reason.AUDIENCE),
    "an audience that ours begins like": ({"aud": AUDIENCE[:-1]}, Reason.AUDIENCE),
    "our audience as an address": ({"aud": f"api://{AUDIENCE}"}, Reason.AUDIENCE),
    "our audience in a list": ({"aud": [AUDIENCE]}, Reason.AUDIENCE),
    "our audience among others": ({"aud": [AUDIENCE, "other"]}, Reason.AUDIENCE),
    "our audience in an object": ({"aud": {AUDIENCE: True}}, Reason.AUDIENCE),
    "no directory": ({"tid": OMITTED}, Reason.DIRECTORY),
    "another directory": ({"tid": FABRIKAM}, Reason.DIRECTORY),
    "a directory in capitals": ({"tid": CONTOSO.upper()}, Reason.DIRECTORY),
    "a list of directories": ({"tid": [CONTOSO]}, Reason.DIRECTORY),
    "no version": ({"ver": OMITTED}, Reason.VERSION),
    "version 1.0": ({"ver": "1.0"}, Reason.VERSION),
    "a version that is a number": ({"ver": 2.0}, Reason.VERSION),
    "a nonce": ({"nonce": "n"}, Reason.NONCE),
    "a nonce that is null": ({"nonce": None}, Reason.NONCE),
    "no end": ({"exp": OMITTED}, Reason.TIMES),
    "an end that is null": ({"exp": None}, Reason.TIMES),
    "an end that is text": ({"exp": str(NOW + 600)}, Reason.TIMES),
    "an end that is a fraction": ({"exp": NOW + 600.5}, Reason.TIMES),
    "an end that is true": ({"exp": True}, Reason.TIMES),
    "an end that is not a number": ({"exp": float("nan")}, Reason.TIMES),
    "an end that is infinite": ({"exp": float("inf")}, Reason.TIMES),
    "an end after the year 9999": ({"exp": 10**12}, Reason.TIMES),
    "an end beyond all numbers": ({"exp": 10**400}, Reason.TIMES),
    "an end before 1970": ({"exp": -1}, Reason.TIMES),
    "an end in a list": ({"exp": [NOW + 600]}, Reason.TIMES),
    "no time of issue": ({"iat": OMITTED}, Reason.TIMES),
    "a time of issue that is text": ({"iat": str(NOW)}, Reason.TIMES),
    "a beginning that is text": ({"nbf": str(NOW)}, Reason.TIMES),
    "a beginning that is null": ({"nbf": None}, Reason.TIMES),
    "an authentication time that is text": ({"auth_time": "yesterday"}, Reason.TIMES),
    "an end 60 seconds ago": ({"exp": NOW - 60}, Reason.EXPIRED),
    "an end in 1970": ({"exp": 0}, Reason.EXPIRED),
    "a beginning in 61 seconds": ({"nbf": NOW + 61}, Reason.NOT_YET_VALID),
    "a time of issue in 61 seconds": ({"iat": NOW + 61}, Reason.NOT_YET_VALID),
    "an ID token": ({"scp": OMITTED, "name": "Ada"}, Reason.SCOPE),
    "an application's token": ({"scp": OMITTED, "roles": ["Members.Read"], "idtyp": "app"}, Reason.SCOPE),
    "an operating application's token": ({"scp": OMITTED, "roles": ["Operator"]}, Reason.SCOPE),
    "an application's token with a scope": ({"idtyp": "app"}, Reason.SCOPE),
    "an empty scope": ({"scp": ""}, Reason.SCOPE),
    "another scope": ({"scp": "User.Read"}, Reason.SCOPE),
    "a scope that begins like ours": ({"scp": "access_as_user_x"}, Reason.SCOPE),
    "a scope that ends like ours": ({"scp": "no_access_as_user"}, Reason.SCOPE),
    "our scope in capitals": ({"scp": "ACCESS_AS_USER"}, Reason.SCOPE),
    "our scope after a comma": ({"scp": "User.Read,access_as_user"}, Reason.SCOPE),
    "our scope after a line": ({"scp": "User.Read\naccess_as_user"}, Reason.SCOPE),
    "our scope as an address": ({"scp": f"api://{AUDIENCE}/access_as_user"}, Reason.SCOPE),
    "our scope under another name": ({"scp": OMITTED, "scope": "access_as_user"}, Reason.SCOPE),
    "our scope in a list": ({"scp": ["access_as_user"]}, Reason.CLAIM),
    "a scope that is null": ({"scp": None}, Reason.CLAIM),
    "nobody": ({"oid": OMITTED, "sub": OMITTED}, Reason.SUBJECT),
    "an empty object id": ({"oid": ""}, Reason.SUBJECT),
    "a blank object id": ({"oid": " "}, Reason.SUBJECT),
    "an object id with a line end": ({"oid": OID + "\n"}, Reason.SUBJECT),
    "an object id outside ASCII": ({"oid": OID + "\u200b"}, Reason.SUBJECT),
    "an object id with a lone surrogate": ({"oid": "\ud800"}, Reason.SUBJECT),
    "an object id without end": ({"oid": "0" * 256}, Reason.SUBJECT),
    "an object id that is a number": ({"oid": 17}, Reason.CLAIM),
    "an object id that is null": ({"oid": None}, Reason.CLAIM),
    "a subject that is a number": ({"oid": OMITTED, "sub": 17}, Reason.CLAIM),
    "a name that is a number": ({"name": 17}, Reason.CLAIM),
    "an address that is a list": ({"email": ["ada@contoso.test"]}, Reason.CLAIM),
    "a user name that is an object": ({"preferred_username": {}}, Reason.CLAIM),
    "a principal name that is true": ({"upn": True}, Reason.CLAIM),
    "groups that are text": ({"groups": "g-1"}, Reason.CLAIM),
    "groups that are numbers": ({"groups": [1]}, Reason.CLAIM),
    "groups that are an object": ({"groups": {"g-1": True}}, Reason.CLAIM),
    "claims elsewhere that are text": ({"_claim_names": "groups"}, Reason.CLAIM),
    "roles that are text": ({"roles": "Operator"}, Reason.CLAIM),
    "roles in lists": ({"roles": [["Operator"]]}, Reason.CLAIM),
}


@pytest.mark.parametrize(("claims", "reason"), WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
async def test_a_genuine_token_with_wrong_claims_is_refused(
    validator: TokenValidator, contoso: Issuer, claims: dict[str, Any], reason: Reason
) -> None:
    """A right signature is not enough: the token must be for us, current, and a person's."""
    token = contoso.token(**ADA | claims)

    assert await refusal(validator, token) is reason


# Headers that the right key has signed, so that nothing but the header can be why the token is refused.
WRONG_HEADERS: dict[str, tuple[dict[str, Any], Reason]] = {
    "no algorithm": ({"alg": OMITTED}, Reason.ALGORITHM),
    "null for an algorithm": ({"alg": None}, Reason.ALGORITHM),
    "none for an algorithm": ({"alg": "none"}, Reason.ALGORITHM),
    "an algorithm in small letters": ({"alg": "rs256"}, Reason.ALGORITHM),
    "a list of algorithms": ({"alg": ["RS256"]}, Reason.ALGORITHM),
    "RS512 in name": ({"alg": "RS512"}, Reason.ALGORITHM),
    "no key id": ({"kid": OMITTED}, Reason.HEADER),
    "a key id that is null": ({"kid": None}, Reason.HEADER),
    "a key id that is a number": ({"kid": 1}, Reason.HEADER),
    "an empty key id": ({"kid": ""}, Reason.UNKNOWN_KEY),
    "a key id that is a path": ({"kid": "../../dev/null"}, Reason.UNKNOWN_KEY),
    "a key id in capitals": ({"kid": "CONTOSO-1"}, Reason.UNKNOWN_KEY),
    "a critical extension": ({"crit": ["exp"], "exp": NOW}, Reason.HEADER),
    "an unencoded payload": ({"crit": ["b64"], "b64": False}, Reason.HEADER),
    "an encoded payload that says so": ({"crit": ["b64"], "b64": True}, Reason.HEADER),
    "an empty list of critical extensions": ({"crit": []}, Reason.HEADER),
    "a nested token": ({"cty": "JWT"}, Reason.HEADER),
    "a type that is not a token": ({"typ": "logout+jwt"}, Reason.HEADER),
    "a proof of possession": ({"typ": "dpop+jwt"}, Reason.HEADER),
    "an encrypted token's type": ({"typ": "JWE"}, Reason.HEADER),
    "a type that is null": ({"typ": None}, Reason.HEADER),
    "a list of types": ({"typ": ["JWT"]}, Reason.HEADER),
    "compression": ({"zip": "DEF"}, Reason.HEADER),
    "encryption": ({"enc": "A256GCM"}, Reason.HEADER),
}


@pytest.mark.parametrize(("header", "reason"), WRONG_HEADERS.values(), ids=WRONG_HEADERS)
async def test_a_genuine_token_with_a_wrong_header_is_refused(
    validator: TokenValidator, contoso: Issuer, header: dict[str, Any], reason: Reason
) -> None:
    """There is one algorithm, and no extension that would change what the token means."""
    usual: dict[str, Any] = {"typ": "JWT", "alg": "RS256", "kid": contoso.kid}
    header = {name: value for name, value in (usual | header).items() if value is not OMITTED}
    token = forged(header, contoso.claims(**ADA), rsa_signer(contoso.kid))

    assert await refusal(validator, token) is reason


def under(header: dict[str, Any], kid: str = "contoso-1") -> dict[str, Any]:
    """Complete a header with contoso's key id."""
    return {"typ": "JWT", "kid": kid} | header


ATTACKER = public_jwk("attacker")

FORGERIES: dict[str, tuple[Callable[[Issuer], str], Reason]] = {
    "no signature": (
        lambda contoso: forged(under({"alg": "RS256"}), contoso.claims(**ADA), lambda _: b""),
        Reason.MALFORMED,
    ),
    "no signature, and it says so": (
        lambda contoso: forged(under({"alg": "none"}), contoso.claims(**ADA), lambda _: b"x"),
        Reason.ALGORITHM,
    ),
    "the published key for a secret": (
        lambda contoso: forged(under({"alg": "HS256"}), contoso.claims(**ADA), hmac_signer("contoso-1")),
        Reason.ALGORITHM,
    ),
    "the published key for a secret, as RS256": (
        lambda contoso: forged(under({"alg": "RS256"}), contoso.claims(**ADA), hmac_signer("contoso-1")),
        Reason.SIGNATURE,
    ),
    "RS384": (
        lambda contoso: forged(
            under({"alg": "RS384"}), contoso.claims(**ADA), rsa_signer("contoso-1", digest=hashes.SHA384())
        ),
        Reason.ALGORITHM,
    ),
    "RS384 as RS256": (
        lambda contoso: forged(
            under({"alg": "RS256"}), contoso.claims(**ADA), rsa_signer("contoso-1", digest=hashes.SHA384())
        ),
        Reason.SIGNATURE,
    ),
    "PS256": (
        lambda contoso: forged(under({"alg": "PS256"}), contoso.claims(**ADA), pss_signer("contoso-1")),
        Reason.ALGORITHM,
    ),
    "PS256 as RS256": (
        lambda contoso: forged(under({"alg": "RS256"}), contoso.claims(**ADA), pss_signer("contoso-1")),
        Reason.SIGNATURE,
    ),
    "ES256": (
        lambda contoso: forged(under({"alg": "ES256"}), contoso.claims(**ADA), ec_signer()),
        Reason.ALGORITHM,
    ),
    "a key of one's own under the issuer's id": (
        lambda contoso: forged(under({"alg": "RS256"}), contoso.claims(**ADA), rsa_signer("attacker")),
        Reason.SIGNATURE,
    ),
    "a key of one's own": (
        lambda contoso: forged(under({"alg": "RS256"}, "attacker"), contoso.claims(**ADA), rsa_signer("attacker")),
        Reason.UNKNOWN_KEY,
    ),
    "a key of one's own in the header": (
        lambda contoso: forged(
            under({"alg": "RS256", "jwk": ATTACKER}, "attacker"), contoso.claims(**ADA), rsa_signer("attacker")
        ),
        Reason.UNKNOWN_KEY,
    ),
    "a key of one's own in the header, under the issuer's id": (
        lambda contoso: forged(
            under({"alg": "RS256", "jwk": ATTACKER | {"kid": "contoso-1"}}),
            contoso.claims(**ADA),
            rsa_signer("attacker"),
        ),
        Reason.SIGNATURE,
    ),
    "another directory's key": (
        lambda contoso: forged(under({"alg": "RS256"}, "fabrikam-1"), contoso.claims(**ADA), rsa_signer("fabrikam-1")),
        Reason.UNKNOWN_KEY,
    ),
    "changed claims": (
        lambda contoso: spliced(contoso.token(**ADA), claims=contoso.claims(**ADA, roles=["Operator"])),
        Reason.SIGNATURE,
    ),
    "a changed header": (
        lambda contoso: spliced(contoso.token(**ADA), header=under({"alg": "RS256", "x": 1})),
        Reason.SIGNATURE,
    ),
    "another token's signature": (
        lambda contoso: contoso.token(**ADA).rpartition(".")[0] + "." + contoso.token().rpartition(".")[2],
        Reason.SIGNATURE,
    ),
    "a shortened signature": (
        lambda contoso: forged(
            under({"alg": "RS256"}), contoso.claims(**ADA), lambda text: rsa_signer("contoso-1")(text)[:-1]
        ),
        Reason.SIGNATURE,
    ),
    "the issuer with a trailing slash": (lambda contoso: contoso.token(iss=contoso.url + "/"), Reason.ISSUER),
    "the issuer in capitals": (lambda contoso: contoso.token(iss=contoso.url.upper()), Reason.ISSUER),
    "the issuer with a blank": (lambda contoso: contoso.token(iss=contoso.url + " "), Reason.ISSUER),
    "the issuer with a path": (lambda contoso: contoso.token(iss=contoso.url + "/v2.0"), Reason.ISSUER),
    "another directory's id for our key": (
        lambda contoso: contoso.token(iss=contoso.url.replace("contoso", "fabrikam")),
        Reason.ISSUER,
    ),
}


def spliced(token: str, *, header: Any = None, claims: Any = None) -> str:
    """Exchange parts of a signed token."""
    old_header, old_claims, signature = token.split(".")
    return ".".join([encoded(header) if header else old_header, encoded(claims) if claims else old_claims, signature])


@pytest.mark.parametrize(("forge", "reason"), FORGERIES.values(), ids=FORGERIES)
async def test_a_forged_token_is_refused(
    validator: TokenValidator, contoso: Issuer, forge: Callable[[Issuer], str], reason: Reason
) -> None:
    """Only a configured issuer's published key, with RS256, makes tokens for that issuer."""
    assert await refusal(validator, forge(contoso)) is reason


BROKEN: dict[str, tuple[Callable[[Issuer], str], Reason]] = {
    "nothing": (lambda _: "", Reason.MALFORMED),
    "one part": (lambda _: "eyJhbGciOiJSUzI1NiJ9", Reason.MALFORMED),
    "two parts": (lambda contoso: contoso.token().rpartition(".")[0], Reason.MALFORMED),
    "two parts and a dot": (lambda contoso: contoso.token().rpartition(".")[0] + ".", Reason.MALFORMED),
    "four parts": (lambda contoso: contoso.token() + ".AAAA", Reason.MALFORMED),
    "five parts, as if encrypted": (lambda contoso: contoso.token() + ".AAAA.AAAA", Reason.MALFORMED),
    "two dots": (lambda _: "..", Reason.MALFORMED),
    "a detached payload": (lambda contoso: "{0}..{2}".format(*contoso.token().split(".")), Reason.MALFORMED),
    "a blank before": (lambda contoso: " " + contoso.token(), Reason.MALFORMED),
    "a line end after": (lambda contoso: contoso.token() + "\n", Reason.MALFORMED),
    "a blank within": (lambda contoso: contoso.token().replace(".", ". "), Reason.MALFORMED),
    "padding": (lambda contoso: contoso.token() + "==", Reason.MALFORMED),
    "letters of plain base64": (lambda contoso: contoso.token()[:-2] + "+/", Reason.MALFORMED),
    "a letter outside ASCII": (lambda contoso: contoso.token() + "\u00e4", Reason.MALFORMED),
    "a look-alike dot": (lambda contoso: contoso.token().replace(".", "\u2024"), Reason.MALFORMED),
    "a null character": (lambda contoso: contoso.token() + "\0", Reason.MALFORMED),
    "a lone surrogate": (lambda contoso: contoso.token() + "\ud800", Reason.MALFORMED),
    "two tokens": (lambda contoso: f"{contoso.token()},{contoso.token()}", Reason.MALFORMED),
    "a cut part": (lambda _: "A.A.A", Reason.MALFORMED),
    "a header that is not JSON": (lambda contoso: signed(b"{", contoso.claims()), Reason.MALFORMED),
    "a header that is a list": (lambda contoso: signed([], contoso.claims()), Reason.MALFORMED),
    "a header that nests deeply": (lambda contoso: signed(b"[" * 6_000, contoso.claims()), Reason.MALFORMED),
    "claims that are not JSON": (lambda _: signed(under({"alg": "RS256"}), b"{"), Reason.MALFORMED),
    "claims that are a list": (lambda _: signed(under({"alg": "RS256"}), []), Reason.MALFORMED),
    "claims that are null": (lambda _: signed(under({"alg": "RS256"}), None), Reason.MALFORMED),
    "claims that are not UTF-8": (lambda _: signed(under({"alg": "RS256"}), b'{"iss":"\xff"}'), Reason.MALFORMED),
    "claims in UTF-16": (lambda _: signed(under({"alg": "RS256"}), '{"iss":""}'.encode("utf-16")), Reason.MALFORMED),
    "claims that nest deeply": (lambda _: signed(under({"alg": "RS256"}), b"[" * 10_000), Reason.MALFORMED),
    "claims with a number without end": (
        lambda _: signed(under({"alg": "RS256"}), b'{"exp":' + b"9" * 5_000 + b"}"),
        Reason.MALFORMED,
    ),
    "a claim that occurs twice": (
        lambda contoso: signed(under({"alg": "RS256"}), f'{{"iss":"x","iss":"{contoso.url}"}}'.encode()),
        Reason.MALFORMED,
    ),
    "a token within a token": (
        lambda contoso: signed(under({"alg": "RS256"}), contoso.token().encode()),
        Reason.MALFORMED,
    ),
    "more than 16 KB": (lambda contoso: contoso.token(name="x" * 16 * 1024), Reason.TOO_LONG),
    "a megabyte of rubbish": (lambda _: "." * 1_000_000, Reason.TOO_LONG),
}


def signed(header: Any, claims: Any) -> str:
    """Sign anything with contoso's key."""
    return forged(header, claims, rsa_signer("contoso-1"))


@pytest.mark.parametrize(("broken", "reason"), BROKEN.values(), ids=BROKEN)
async def test_what_is_no_token_is_refused_unread(
    validator: TokenValidator, contoso: Issuer, broken: Callable[[Issuer], str], reason: Reason
) -> None:
    """Texts that can be read in two ways, or not at all, never reach a key."""
    assert await refusal(validator, broken(contoso)) is reason
    assert contoso.asked == 0


# Published keys that must not count, with the token that the right private key signs.
ODD_KEYS: dict[str, tuple[dict[str, Any], int]] = {
    "of 1024 bits": (public_jwk("odd", 1024), 1024),
    "of 2047 bits": (public_jwk("odd", 2047), 2047),
    "for encryption": (public_jwk("odd", use="enc"), 2048),
    "without a use": ({name: value for name, value in public_jwk("odd").items() if name != "use"}, 2048),
}


@pytest.mark.parametrize(("published", "bits"), ODD_KEYS.values(), ids=ODD_KEYS)
async def test_a_key_that_is_not_good_enough_is_unknown(
    validator: TokenValidator, contoso: Issuer, published: dict[str, Any], bits: int
) -> None:
    """A token signed with a key that the issuer publishes, but not for this or too short, is refused."""
    contoso.keys.append(published)
    token = forged(under({"alg": "RS256"}, "odd"), contoso.claims(**ADA), rsa_signer("odd", bits=bits))

    assert await refusal(validator, token) is Reason.UNKNOWN_KEY


ACCEPTED: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "without a beginning": {"nbf": OMITTED},
    "an end 59 seconds ago": {"exp": NOW - 59},
    "a beginning in 60 seconds": {"nbf": NOW + 60},
    "a time of issue in 60 seconds": {"iat": NOW + 60},
    "our scope first": {"scp": "access_as_user User.Read"},
    "our scope last": {"scp": "User.Read  access_as_user"},
    "another client": {"azp": "a0000000-0000-4000-8000-000000000015"},
    "no client": {"azp": OMITTED},
    "a delegated token that says so": {"idtyp": "user"},
    "an address that is none": {"email": "+61 400 000 000"},
    "claims nobody knows": {"uti": "x", "rh": {"a": [1, None]}, "xms_ftd": 1.5},
}


@pytest.mark.parametrize("claims", ACCEPTED.values(), ids=ACCEPTED)
async def test_variations_that_issuers_may_send_are_accepted(
    validator: TokenValidator, contoso: Issuer, claims: dict[str, Any]
) -> None:
    """Clocks differ a little, and issuers send more than is asked for."""
    person = await validator.validate(contoso.token(**{"oid": OID} | claims))

    assert person.identity == Identity(CONTOSO, OID)


ACCEPTED_HEADERS: dict[str, dict[str, Any]] = {
    "an access token's type": {"typ": "at+jwt"},
    "the type in small letters": {"typ": "jwt"},
    "the type in full": {"typ": "application/at+jwt"},
    "a thumbprint": {"x5t": "AAAA"},
    "somebody's key": {"jwk": ATTACKER},
    "the address of somebody's keys": {"jku": "http://127.0.0.1:1/keys"},
    "the address of somebody's certificates": {"x5u": "http://127.0.0.1:1/keys"},
}


@pytest.mark.parametrize("header", ACCEPTED_HEADERS.values(), ids=ACCEPTED_HEADERS)
async def test_headers_that_do_not_matter_are_ignored(
    validator: TokenValidator, contoso: Issuer, header: dict[str, Any]
) -> None:
    """The key is the issuer's, whatever else the header offers, and nothing else is fetched."""
    person = await validator.validate(contoso.sign(contoso.claims(oid=OID), **header))

    assert person.identity == Identity(CONTOSO, OID)


async def test_a_header_without_a_type_is_accepted(validator: TokenValidator, contoso: Issuer) -> None:
    """`typ` is optional (RFC 7519, 5.1)."""
    token = forged({"alg": "RS256", "kid": contoso.kid}, contoso.claims(oid=OID), rsa_signer(contoso.kid))

    assert (await validator.validate(token)).identity == Identity(CONTOSO, OID)


async def test_each_directory_has_its_own_people(validator: TokenValidator, contoso: Issuer, fabrikam: Issuer) -> None:
    """The same object id in two directories is two people."""
    ada = await validator.validate(contoso.token(oid=OID))
    mallory = await validator.validate(fabrikam.token(oid=OID))

    assert ada.identity == Identity(CONTOSO, OID)
    assert mallory.identity == Identity(FABRIKAM, OID)


async def test_a_directory_may_have_several_issuers(contoso: Issuer, keys: KeySource, clock: Clock) -> None:
    """A hook and an access token of one directory may carry different ones; the person is the same."""
    directory = replace(contoso.directory, issuers=("https://login.test/contoso", contoso.url))
    validator = TokenValidator([directory], AUDIENCE, keys, clock)

    assert (await validator.validate(contoso.token(oid=OID))).identity == Identity(CONTOSO, OID)


async def test_without_directories_every_token_is_refused(contoso: Issuer, keys: KeySource, clock: Clock) -> None:
    """Nobody is believed by default."""
    validator = TokenValidator([], AUDIENCE, keys, clock)

    assert await refusal(validator, contoso.token()) is Reason.ISSUER


async def test_the_subject_stands_in_for_a_missing_object_id(validator: TokenValidator, contoso: Issuer) -> None:
    """Issuers other than Entra have no object ids."""
    person = await validator.validate(contoso.token(oid=OMITTED, sub="auth0|17"))

    assert person.identity == Identity(CONTOSO, "auth0|17")


NAMES = {
    "cut": ("x" * 500, "x" * 200),
    "control characters": ("Ada\0\x1b[31m \x7fByron", "Ada[31m Byron"),
    "line ends": ("Ada\r\nBcc: bo\u2028Byron", "Ada Bcc: bo Byron"),
    "direction marks": ("Ada\u202enoryB", "AdanoryB"),
    "lone surrogates": ("Ada\ud800", "Ada"),
    "blanks": ("  Ada \t Byron ", "Ada Byron"),
    "kept": ("Łukasz O'Neill 山田", "Łukasz O'Neill 山田"),
    "nothing left": (" \u200b\n", None),
    "empty": ("", None),
    "missing": (OMITTED, None),
}


@pytest.mark.parametrize(("claim", "name"), NAMES.values(), ids=NAMES)
async def test_a_name_is_one_clean_line(
    validator: TokenValidator, contoso: Issuer, claim: object, name: str | None
) -> None:
    """People choose their names themselves, also to disturb the pages and mails that show them."""
    person = await validator.validate(contoso.token(name=claim))

    assert person.name == name


ADDRESSES: dict[str, tuple[dict[str, Any], str | None]] = {
    "none": ({}, None),
    "an email": ({"email": "Ada@Contoso.test", "preferred_username": "a@x.com"}, "ada@contoso.test"),
    "a user name": ({"preferred_username": "ada@contoso.test"}, "ada@contoso.test"),
    "a principal name": ({"upn": "ada@contoso.test"}, "ada@contoso.test"),
    "an email that is none, and a user name": ({"email": "ada", "preferred_username": "a@x.com"}, "a@x.com"),
    "a telephone number": ({"preferred_username": "+61 400 000 000"}, None),
    "look-alike letters": ({"email": "\u0430da@contoso.test"}, None),
    "two addresses": ({"email": "ada@contoso.test,bo@contoso.test"}, None),
    "a lone surrogate": ({"email": "\ud800@contoso.test"}, None),
}


@pytest.mark.parametrize(("claims", "address"), ADDRESSES.values(), ids=ADDRESSES)
async def test_the_address_is_the_first_claim_that_is_one(
    validator: TokenValidator, contoso: Issuer, claims: dict[str, Any], address: str | None
) -> None:
    """Addresses are canonical, and a bad one is none at all."""
    person = await validator.validate(contoso.token(**claims))

    assert person.address == address


# What fabrikam may say of ada@contoso.test, an address in a domain that is not its own.
EVIDENCE: dict[str, tuple[dict[str, Any], Proof | None]] = {
    "nothing": ({}, None),
    "verified by the domain's owner": ({"xms_edov": True}, Proof.DOMAIN_OWNER_VERIFIED),
    "verified by the domain's owner, as a guest": ({"xms_edov": True, "acct": 1}, Proof.DOMAIN_OWNER_VERIFIED),
    "not verified": ({"xms_edov": False}, None),
    "verified in words": ({"xms_edov": "true"}, None),
    "verified in figures": ({"xms_edov": 1}, None),
    "verified in figures in words": ({"xms_edov": "1"}, None),
    "verified by a directory that is no authority": ({"email_verified": True}, None),
    "the principal name": ({"upn": "ada@contoso.test"}, Proof.PRINCIPAL_NAME),
    "the principal name of a guest": ({"upn": "ada@contoso.test", "acct": 1}, None),
    "another principal name": ({"upn": "mallory@fabrikam.test"}, None),
    "a user name, which people can choose": ({"preferred_username": "ada@contoso.test"}, None),
    "verified, but not this": (
        {"email": OMITTED, "preferred_username": "ada@contoso.test", "xms_edov": True, "email_verified": True},
        None,
    ),
}


@pytest.mark.parametrize(("claims", "proof"), EVIDENCE.values(), ids=EVIDENCE)
async def test_another_directorys_word_for_an_address_needs_evidence(
    validator: TokenValidator, fabrikam: Issuer, claims: dict[str, Any], proof: Proof | None
) -> None:
    """Mallory owns fabrikam and has given herself Ada's address (R11)."""
    person = await validator.validate(fabrikam.token(**{"email": "ada@contoso.test"} | claims))

    assert person.address == "ada@contoso.test"
    assert person.proof == proof


@pytest.mark.parametrize(
    "claims",
    [{"acct": 1}, {"upn": "ada_contoso.test#EXT#@contoso.test"}, {"idp": "https://sts.windows.net/elsewhere/"}],
    ids=["account type", "principal name", "identity provider"],
)
async def test_a_stranger_within_a_directory_does_not_profit_from_its_domains(
    validator: TokenValidator, contoso: Issuer, claims: dict[str, Any]
) -> None:
    """A guest's address is the word of the directory that the guest came from."""
    person = await validator.validate(contoso.token(email="boss@contoso.test", **claims))

    assert person.proof is None


async def test_a_member_may_come_with_the_directorys_own_name(validator: TokenValidator, contoso: Issuer) -> None:
    """An `idp` that is the issuer says that nobody else signed the person in."""
    person = await validator.validate(contoso.token(email="ada@contoso.test", idp=contoso.url, acct=0))

    assert person.proof == Proof.VERIFIED_DOMAIN


async def test_an_authoritative_directorys_verified_address_counts(
    fabrikam: Issuer, keys: KeySource, clock: Clock
) -> None:
    """Which directory is one is a matter of settings; it vouches for `email` and no other claim."""
    validator = TokenValidator([replace(fabrikam.directory, vouches=True)], AUDIENCE, keys, clock)

    email = await validator.validate(fabrikam.token(email="ada@contoso.test", email_verified=True))
    name = await validator.validate(fabrikam.token(preferred_username="ada@contoso.test", email_verified=True))

    assert email.proof == Proof.EMAIL_VERIFIED
    assert name.proof is None


@pytest.mark.parametrize(
    ("claims", "guest"),
    [
        ({}, False),
        ({"acct": 0}, False),
        ({"acct": 1}, True),
        ({"upn": "bo_fabrikam.test#EXT#@contoso.test"}, True),
        ({"preferred_username": "bo_fabrikam.test#EXT#@contoso.test"}, True),
        ({"idp": "https://sts.windows.net/elsewhere/"}, False),
    ],
)
async def test_guests_are_marked(
    validator: TokenValidator, contoso: Issuer, claims: dict[str, Any], *, guest: bool
) -> None:
    """Guests may add members by hand only (R5)."""
    person = await validator.validate(contoso.token(**claims))

    assert person.guest is guest


@pytest.mark.parametrize(
    ("claims", "groups"),
    [
        ({"groups": ["g-1", "g-2", "g-1"]}, {"g-1", "g-2"}),
        ({"groups": []}, set()),
        ({}, set()),
        ({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph.test"}}}, None),
        ({"groups": ["g-1"], "_claim_names": {"groups": "src1"}}, None),
        ({"groups": ["g-1"], "_claim_names": {"other": "src1"}}, {"g-1"}),
        ({"hasgroups": True}, None),
        ({"groups": ["g-1"], "hasgroups": True}, None),
    ],
)
async def test_an_incomplete_list_of_groups_is_unknown(
    validator: TokenValidator, contoso: Issuer, claims: dict[str, Any], groups: set[str] | None
) -> None:
    """What the token does not tell is never taken for "none" (R13)."""
    person = await validator.validate(contoso.token(**claims))

    assert person.groups == groups


async def test_the_time_of_authentication_is_preferred_to_that_of_issue(
    validator: TokenValidator, contoso: Issuer
) -> None:
    """Tokens are renewed without the person signing in again (R14)."""
    person = await validator.validate(contoso.token(auth_time=NOW - 7200))

    assert person.authenticated_at == NOW - 7200


@pytest.mark.parametrize(
    ("roles", "operator"),
    [(["Operator"], True), (["Reader", "Operator"], True), (["operator"], False), (["Operators"], False), ([], False)],
)
async def test_operators_have_the_application_role(
    validator: TokenValidator, contoso: Issuer, roles: list[str], *, operator: bool
) -> None:
    """The operators' directory says who they are."""
    person = await validator.validate(contoso.token(roles=roles))

    assert person.operator is operator


async def test_nobody_is_an_operator_of_another_directory(validator: TokenValidator, fabrikam: Issuer) -> None:
    """Every customer can define a role of that name in a directory of their own."""
    person = await validator.validate(fabrikam.token(roles=["Operator"]))

    assert not person.operator


async def test_an_applications_token_can_be_verified_without_being_a_persons(
    validator: TokenValidator, contoso: Issuer
) -> None:
    """Identity hooks are called by applications and look at the claims themselves."""
    verified = await validator.verify(contoso.token(scp=OMITTED, oid=OMITTED, azp="hook"))

    assert verified.claims["azp"] == "hook"
    assert verified.directory == contoso.directory


async def test_a_refusal_repeats_nothing_of_the_token(validator: TokenValidator, contoso: Issuer) -> None:
    """Reasons go into logs, tokens never."""
    token = contoso.token(aud="secret-audience")

    with pytest.raises(TokenRefused) as refused:
        await validator.validate(token)

    assert str(refused.value) == "audience"


async def test_a_token_signed_with_a_fresh_key_is_believed_at_once(
    validator: TokenValidator, contoso: Issuer, clock: Clock
) -> None:
    """A rotation is not noticed by anybody: both keys' tokens are good while both are published."""
    old = contoso.token(oid=OID)
    await validator.validate(old)
    clock.turn(10)
    contoso.rotate(keep=True)

    people = await asyncio.gather(*(validator.validate(contoso.token(oid=OID)) for _ in range(50)))

    assert {person.identity for person in people} == {Identity(CONTOSO, OID)}
    assert (await validator.validate(old)).identity == Identity(CONTOSO, OID)
    assert contoso.asked == 2


async def test_a_token_is_refused_once_its_key_is_withdrawn(
    validator: TokenValidator, contoso: Issuer, clock: Clock
) -> None:
    """The next look at the issuer's keys ends what a stolen key can do."""
    stolen = contoso.token()
    await validator.validate(stolen)
    clock.turn(10)
    contoso.rotate()

    await validator.validate(contoso.token())

    assert await refusal(validator, stolen) is Reason.UNKNOWN_KEY


async def test_a_token_is_verified_again_with_another_key_of_the_same_name(
    validator: TokenValidator, contoso: Issuer, clock: Clock
) -> None:
    """It is the key that somebody has signed with, not what it is called."""
    stolen = contoso.token()
    await validator.validate(stolen)
    contoso.rotate()
    contoso.keys += [public_jwk(contoso.kid) | {"kid": "contoso-1"}]
    clock.turn(10)

    await validator.validate(contoso.token())

    assert await refusal(validator, stolen) is Reason.SIGNATURE


async def test_a_token_that_was_believed_before_expires(
    validator: TokenValidator, contoso: Issuer, clock: Clock
) -> None:
    """Times are looked at whenever a token comes."""
    token = contoso.token(oid=OID)
    await validator.validate(token)

    clock.turn(LIFETIME + LEEWAY - 1)
    assert (await validator.validate(token)).identity == Identity(CONTOSO, OID)

    clock.turn(1)
    assert await refusal(validator, token) is Reason.EXPIRED


async def test_a_token_that_was_refused_is_looked_at_again(
    validator: TokenValidator, contoso: Issuer, clock: Clock
) -> None:
    """What came too early is good when its time has come."""
    token = contoso.token(oid=OID, nbf=NOW + 3600, exp=NOW + 7200)

    assert await refusal(validator, token) is Reason.NOT_YET_VALID
    assert await refusal(validator, token) is Reason.NOT_YET_VALID

    clock.turn(3600)
    assert (await validator.validate(token)).identity == Identity(CONTOSO, OID)


async def test_another_signature_under_a_believed_token_is_refused(validator: TokenValidator, contoso: Issuer) -> None:
    """The whole token is what is remembered."""
    token = contoso.token()
    await validator.validate(token)
    signed, _, signature = token.rpartition(".")

    assert await refusal(validator, f"{signed}.{'AB'[signature[0] == 'A']}{signature[1:]}") is Reason.SIGNATURE


async def test_what_one_audience_believes_is_nothing_to_another(
    validator: TokenValidator, contoso: Issuer, keys: KeySource, clock: Clock
) -> None:
    """Hooks and the API have the issuers' keys in common, and nothing else."""
    token = contoso.token()
    await validator.validate(token)

    assert await refusal(TokenValidator([contoso.directory], HOOK_AUDIENCE, keys, clock), token) is Reason.AUDIENCE


async def test_no_more_tokens_are_remembered_than_there_is_room_for(validator: TokenValidator, contoso: Issuer) -> None:
    """However many people come, memory does not grow for ever."""
    for number in range(REMEMBERED + 10):
        await validator.validate(contoso.token(oid=f"crowd-{number}"))

    kept = [str(each.claims.get("oid")) for each in gc.get_objects() if isinstance(each, Verified)]
    assert 0 < sum(oid.startswith("crowd-") for oid in kept) <= REMEMBERED


async def test_tokens_are_believed_through_a_day_of_outage(
    validator: TokenValidator, contoso: Issuer, clock: Clock
) -> None:
    """The issuer's last keys do for a day; then nobody can tell good tokens from bad ones."""
    await validator.validate(contoso.token())
    contoso.answer = lambda _: web.Response(status=503)

    clock.turn(24 * 3600)
    assert (await validator.validate(contoso.token(oid=OID))).identity == Identity(CONTOSO, OID)

    clock.turn(3600)
    with pytest.raises(KeysUnavailable):
        await validator.validate(contoso.token())


async def test_an_issuers_outage_is_not_anothers(validator: TokenValidator, contoso: Issuer, fabrikam: Issuer) -> None:
    """Keys are kept by issuer."""
    contoso.answer = lambda _: web.Response(status=503)

    with pytest.raises(KeysUnavailable):
        await validator.validate(contoso.token())

    assert (await validator.validate(fabrikam.token(oid=OID))).identity == Identity(FABRIKAM, OID)


async def test_a_forged_token_is_refused_also_during_an_outage(validator: TokenValidator, contoso: Issuer) -> None:
    """What can be refused without keys does not wait for them."""
    contoso.answer = lambda _: web.Response(status=503)

    assert await refusal(validator, contoso.token(iss="https://login.test/x")) is Reason.ISSUER
    assert contoso.asked == 0
