import asyncio
import logging
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec

from shared.identity.jwks import KeySource, UnknownKey
from shared.identity.refusals import KeysUnavailable
from tests.identity.clock import Clock
from tests.identity.issuer import Issuer, private_key, public_jwk

MINUTE = 60.0
HOUR = 60 * MINUTE

WEAK = public_jwk("weak", 1024)
NUMBERS = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()


async def find(keys: KeySource, issuer: Issuer, kid: str | None = None) -> object:
    """Look up a key, the issuer's present one by default, as numbers that can be compared."""
    return (await keys.find(issuer.url, kid or issuer.kid)).public_numbers()


def numbers(kid: str) -> object:
    """Tell what the key of this name really is."""
    return private_key(kid).public_key().public_numbers()


async def test_an_issuers_key_is_found_by_its_id(keys: KeySource, contoso: Issuer) -> None:
    """Metadata leads to the keys, and the id picks one of them."""
    contoso.rotate(keep=True)

    assert await find(keys, contoso, "contoso-1") == numbers("contoso-1")
    assert await find(keys, contoso, "contoso-2") == numbers("contoso-2")


async def test_nothing_is_fetched_before_a_key_is_asked_for(clock: Clock) -> None:
    """Making a key source costs nothing: a function app makes it while it starts."""

    def no_session() -> aiohttp.ClientSession:
        raise AssertionError("A session was asked for.")

    assert KeySource(["https://login.test/contoso"], no_session, clock) is not None


async def test_a_key_belongs_to_its_issuer(keys: KeySource, contoso: Issuer, fabrikam: Issuer) -> None:
    """Another configured issuer's key is unknown here."""
    with pytest.raises(UnknownKey):
        await find(keys, contoso, fabrikam.kid)


async def test_keys_are_fetched_once(keys: KeySource, contoso: Issuer, clock: Clock) -> None:
    """Within the hour, no call waits for the issuer again."""
    await find(keys, contoso)
    clock.turn(59 * MINUTE)
    await find(keys, contoso)
    await asyncio.sleep(0.05)

    assert contoso.asked == 1


async def test_fifty_first_callers_share_one_fetch(keys: KeySource, contoso: Issuer) -> None:
    """A cold start under load asks the issuer once."""
    found = await asyncio.gather(*(find(keys, contoso) for _ in range(50)))

    assert found == [numbers(contoso.kid)] * 50
    assert contoso.asked == 1


async def test_one_caller_giving_up_does_not_fail_the_others(keys: KeySource, contoso: Issuer) -> None:
    """The fetch belongs to nobody in particular, also not to the first who asked."""
    contoso.delay = 0.05
    first = asyncio.create_task(find(keys, contoso))
    second = asyncio.create_task(find(keys, contoso))
    await asyncio.sleep(0.01)

    first.cancel()

    assert await second == numbers(contoso.kid)
    assert contoso.asked == 1


async def test_a_fresh_key_is_found_at_once(keys: KeySource, contoso: Issuer, clock: Clock) -> None:
    """A key that appeared since the last fetch is fetched when the first token signed with it comes."""
    await find(keys, contoso)
    clock.turn(10)
    contoso.rotate()

    found = await asyncio.gather(*(find(keys, contoso) for _ in range(50)))

    assert found == [numbers("contoso-2")] * 50
    assert contoso.asked == 2


async def test_unknown_keys_cause_a_fetch_every_ten_seconds_at_most(
    keys: KeySource, contoso: Issuer, clock: Clock
) -> None:
    """Forged key ids must not make us hammer the issuer."""
    await find(keys, contoso)
    for second in range(46):
        with pytest.raises(UnknownKey):
            await find(keys, contoso, f"forged-{second}")
        clock.turn(1)

    assert contoso.asked == 1 + 4


async def test_keys_are_refreshed_in_the_background(keys: KeySource, contoso: Issuer, clock: Clock) -> None:
    """After an hour the old keys still answer at once, while new ones are fetched; withdrawn ones are gone then."""
    await find(keys, contoso)
    contoso.rotate()
    contoso.delay = 0.01
    contoso.was_asked.clear()
    clock.turn(HOUR + 1)

    assert await find(keys, contoso, "contoso-1") == numbers("contoso-1")

    await asyncio.wait_for(contoso.was_asked.wait(), 5)
    assert await find(keys, contoso, "contoso-2") == numbers("contoso-2")
    with pytest.raises(UnknownKey):
        await find(keys, contoso, "contoso-1")
    assert contoso.asked == 2


async def test_keys_are_not_used_unseen_after_a_long_idle_time(keys: KeySource, contoso: Issuer, clock: Clock) -> None:
    """The first token of the morning waits for the issuer: its key may have been withdrawn last night."""
    await find(keys, contoso)
    contoso.rotate()
    clock.turn(8 * HOUR)

    with pytest.raises(UnknownKey):
        await find(keys, contoso, "contoso-1")


async def test_known_keys_outlive_a_day_of_outage(keys: KeySource, contoso: Issuer, clock: Clock) -> None:
    """People can work on while their issuer's metadata does not answer."""
    await find(keys, contoso)
    contoso.answer = lambda _: web.Response(status=503)
    clock.turn(1)
    for _ in range(23):
        clock.turn(HOUR)
        assert await find(keys, contoso) == numbers(contoso.kid)


async def test_keys_are_unavailable_after_more_than_a_day_of_outage(
    keys: KeySource, contoso: Issuer, clock: Clock
) -> None:
    """Keys that nobody has confirmed for a day prove nothing any more."""
    await find(keys, contoso)
    contoso.answer = lambda _: web.Response(status=503)
    clock.turn(25 * HOUR)

    with pytest.raises(KeysUnavailable):
        await find(keys, contoso)


async def test_an_unknown_key_is_unknown_also_during_an_outage(keys: KeySource, contoso: Issuer, clock: Clock) -> None:
    """While there are keys, a token with another one is refused, not put off."""
    await find(keys, contoso)
    contoso.answer = lambda _: web.Response(status=503)
    clock.turn(HOUR)

    with pytest.raises(UnknownKey):
        await find(keys, contoso, "forged")


async def test_an_outage_ends_by_itself(keys: KeySource, contoso: Issuer, clock: Clock) -> None:
    """Keys that could not be had are there a second after the issuer is."""
    contoso.answer = lambda _: web.Response(status=503)
    with pytest.raises(KeysUnavailable):
        await find(keys, contoso)
    contoso.answer = None

    with pytest.raises(KeysUnavailable):
        await find(keys, contoso)
    clock.turn(1)

    assert await find(keys, contoso) == numbers(contoso.kid)
    assert contoso.asked == 2


async def test_an_issuer_that_is_not_there_is_unavailable(session: aiohttp.ClientSession, clock: Clock) -> None:
    """A refused connection says nothing about a token."""
    async with Issuer() as gone:
        url = gone.url
    keys = KeySource([url], lambda: session, clock)

    with pytest.raises(KeysUnavailable):
        await keys.find(url, "any")


async def test_an_issuer_that_hangs_is_given_two_seconds(keys: KeySource, contoso: Issuer) -> None:
    """Metadata and keys share the two seconds."""
    contoso.delay = 1.5
    started = asyncio.get_running_loop().time()

    with pytest.raises(KeysUnavailable):
        await find(keys, contoso)

    assert 1.9 < asyncio.get_running_loop().time() - started < 3.5


async def test_a_failed_fetch_is_logged_with_the_issuer_and_the_reason(
    keys: KeySource, contoso: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    """An outage is seen by the operators before the keys run out."""
    contoso.answer = lambda _: web.Response(status=418)

    with caplog.at_level(logging.WARNING), pytest.raises(KeysUnavailable):
        await find(keys, contoso)

    (told,) = [vars(record) for record in caplog.records if record.message == "keys.unavailable"]
    assert told["issuer"] == contoso.url
    assert told["why"].endswith("answered 418")


METADATA: dict[str, Callable[[Issuer], dict[str, Any]]] = {
    "another issuer": lambda _: {"issuer": "https://login.test/contoso"},
    "another case": lambda issuer: {"issuer": issuer.url.upper()},
    "a trailing slash": lambda issuer: {"issuer": issuer.url + "/"},
    "no issuer": lambda _: {"issuer": None},
    "a list of issuers": lambda issuer: {"issuer": [issuer.url]},
    "no address of keys": lambda _: {"jwks_uri": None},
    "keys at a number": lambda _: {"jwks_uri": 1},
    "keys on plain http where they are": lambda issuer: {
        "jwks_uri": f"{issuer.url.replace('127.0.0.1', '0.0.0.0')}/keys"  # noqa: S104 - asked, not bound
    },
    "keys on plain http elsewhere": lambda _: {"jwks_uri": "http://login.test/keys"},
    "keys on plain http on a look-alike": lambda _: {"jwks_uri": "http://127.0.0.1.login.test/keys"},
    "keys on plain http behind a user": lambda _: {"jwks_uri": "http://127.0.0.1@192.0.2.1/keys"},
    "keys in a file": lambda _: {"jwks_uri": "file:///etc/passwd"},
    "keys nowhere": lambda _: {"jwks_uri": ""},
    "keys at a relative address": lambda _: {"jwks_uri": "/contoso/keys"},
    "keys at a broken address": lambda _: {"jwks_uri": "https://[::1/keys"},
    "keys that are not found": lambda issuer: {"jwks_uri": issuer.url + "/missing"},
}


@pytest.mark.parametrize("metadata", METADATA.values(), ids=METADATA)
async def test_metadata_that_cannot_be_believed_gives_no_keys(
    keys: KeySource, contoso: Issuer, metadata: Callable[[Issuer], dict[str, Any]]
) -> None:
    """Metadata must be the configured issuer's own and lead to keys that nobody can change on the way."""
    contoso.metadata = metadata(contoso)

    with pytest.raises(KeysUnavailable):
        await find(keys, contoso)


ANSWERS: dict[str, Callable[[], web.Response]] = {
    "not found": lambda: web.Response(status=404),
    "no content": lambda: web.Response(status=204),
    "an error": lambda: web.Response(status=500, text="{}"),
    "nothing": lambda: web.Response(text=""),
    "a page": lambda: web.Response(text="<html>"),
    "a list": lambda: web.Response(text="[]"),
    "null": lambda: web.Response(text="null"),
    "half an object": lambda: web.Response(text='{"issuer": "'),
    "not UTF-8": lambda: web.Response(body=b'{"issuer": "\xff\xfe"}'),
    "deep nesting": lambda: web.Response(text='{"a":' + "[" * 60_000),
    "a huge number": lambda: web.Response(text='{"a":' + "9" * 5_000 + "}"),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_what_is_not_a_json_object_gives_no_keys(
    keys: KeySource, contoso: Issuer, answer: Callable[[], web.Response]
) -> None:
    """Error pages and rubbish are an outage, not a crash."""
    contoso.answer = lambda _: answer()

    with pytest.raises(KeysUnavailable):
        await find(keys, contoso)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(keys: KeySource, contoso: Issuer, fabrikam: Issuer, status: int) -> None:
    """A redirect could lead to anybody's metadata, so it is an outage."""
    contoso.answer = lambda request: web.Response(status=status, headers={"Location": fabrikam.origin + request.path})

    with pytest.raises(KeysUnavailable):
        await find(keys, contoso)

    assert fabrikam.asked == 0


async def test_metadata_of_up_to_64_kilobytes_is_read(keys: KeySource, contoso: Issuer) -> None:
    """Real metadata is a few kilobytes."""
    contoso.metadata = {"padding": "x" * 60_000}

    assert await find(keys, contoso) == numbers(contoso.kid)


async def test_larger_metadata_is_not_read(keys: KeySource, contoso: Issuer) -> None:
    """Nobody can fill the memory."""
    contoso.metadata = {"padding": "x" * 64 * 1024}

    with pytest.raises(KeysUnavailable):
        await find(keys, contoso)


async def test_larger_key_lists_are_not_read(keys: KeySource, contoso: Issuer) -> None:
    """The limit holds for the list as well."""
    contoso.keys = [{"padding": "x" * 64 * 1024}, *contoso.keys]

    with pytest.raises(KeysUnavailable):
        await find(keys, contoso)


async def test_up_to_32_keys_are_read(keys: KeySource, contoso: Issuer) -> None:
    """Real lists have fewer than ten."""
    contoso.keys = [*contoso.keys, *({"kty": "EC", "kid": f"{n}"} for n in range(31))]

    assert await find(keys, contoso) == numbers(contoso.kid)


@pytest.mark.parametrize("listed", [[*[WEAK] * 32, public_jwk("contoso-1")], {}, None, "keys", 1])
async def test_other_key_lists_are_not_read(keys: KeySource, contoso: Issuer, listed: Any) -> None:
    """More than 32 keys, or no list at all."""
    contoso.keys = listed

    with pytest.raises(KeysUnavailable):
        await find(keys, contoso)


ODD_KEYS: dict[str, object] = {
    "too short": WEAK,
    "for encryption": public_jwk("odd", use="enc"),
    "for nothing in particular": {name: value for name, value in public_jwk("odd").items() if name != "use"},
    "for another algorithm": public_jwk("odd", alg="PS256"),
    "elliptic": {"kty": "EC", "use": "sig", "kid": "odd", "crv": "P-256", "x": f"{NUMBERS.x}", "y": f"{NUMBERS.y}"},
    "symmetric": {"kty": "oct", "use": "sig", "kid": "odd", "k": "c2VjcmV0"},
    "an RSA key that calls itself symmetric": public_jwk("odd", kty="oct", k="c2VjcmV0"),
    "without an id": public_jwk("odd", kid=None),
    "with a number for an id": public_jwk("odd", kid=1),
    "without a modulus": public_jwk("odd", n=None),
    "with an empty modulus": public_jwk("odd", n=""),
    "with a modulus that is not base64": public_jwk("odd", n="ü" * 400),
    "with an even exponent": public_jwk("odd", e="AAAC"),
    "with an exponent of one": public_jwk("odd", e="AQ"),
    "with a list for an exponent": public_jwk("odd", e=["AQAB"]),
    "no object": "odd",
    "null": None,
    "a list": [public_jwk("odd")],
}


@pytest.mark.parametrize("odd", ODD_KEYS.values(), ids=ODD_KEYS)
async def test_keys_that_are_not_for_us_are_passed_over(keys: KeySource, contoso: Issuer, odd: Any) -> None:
    """Only RSA signing keys of 2048 bits or more are used, and others do not spoil those beside them."""
    contoso.keys = [odd, *contoso.keys]

    assert await find(keys, contoso) == numbers(contoso.kid)
    for kid in ("odd", "weak"):
        with pytest.raises(UnknownKey):
            await find(keys, contoso, kid)


@pytest.mark.parametrize("odd", ODD_KEYS.values(), ids=ODD_KEYS)
async def test_an_issuer_without_any_usable_key_is_an_outage(keys: KeySource, contoso: Issuer, odd: Any) -> None:
    """An empty list is a fault at the issuer's: it always has a key for the tokens that it signs."""
    contoso.keys = [odd]

    with pytest.raises(KeysUnavailable):
        await find(keys, contoso)


async def test_only_the_two_numbers_of_a_key_are_used(keys: KeySource, contoso: Issuer) -> None:
    """Certificates, private members and addresses beside them have no say."""
    contoso.keys = [public_jwk(contoso.kid, d="AQAB", x5c=["MII"], x5u="http://login.test", oth=[])]

    assert await find(keys, contoso) == numbers(contoso.kid)


async def test_an_issuers_trailing_slash_is_not_doubled(session: aiohttp.ClientSession, clock: Clock) -> None:
    """Metadata lies at the issuer without its closing slash (OpenID Connect Discovery 1.0, 4.1)."""
    async with Issuer() as issuer:
        issuer.metadata = {"issuer": issuer.url + "/"}
        keys = KeySource([issuer.url + "/"], lambda: session, clock)

        found = await keys.find(issuer.url + "/", issuer.kid)

    assert found.public_numbers() == numbers(issuer.kid)


@pytest.mark.parametrize(
    "issuer",
    ["https://login.test/x/v2.0", "http://127.0.0.1:7/x", "http://127.8.9.1/x", "http://[::1]:7", "http://localhost:7"],
)
async def test_issuers_are_https_or_on_this_machine(session: aiohttp.ClientSession, clock: Clock, issuer: str) -> None:
    """Those can be configured."""
    assert KeySource([issuer], lambda: session, clock) is not None


@pytest.mark.parametrize(
    "issuer",
    [
        "",
        "contoso",
        "//127.0.0.1",
        "http://login.test",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://localhost.login.test",
        "http://127.0.0.1@192.0.2.1",
        "ftp://127.0.0.1",
        "https://",
        "https:///x",
        "https://[::1",
    ],
)
async def test_other_issuers_cannot_be_configured(session: aiohttp.ClientSession, clock: Clock, issuer: str) -> None:
    """Whoever sits on the way could change the keys: no key source is made."""
    with pytest.raises(ValueError, match="An issuer is"):
        KeySource([issuer], lambda: session, clock)


async def test_keys_can_be_fetched_before_anybody_needs_them(keys: KeySource, contoso: Issuer) -> None:
    """The first caller then waits for nobody."""
    await keys.get_ready()
    contoso.answer = lambda _: web.Response(status=500)

    assert await find(keys, contoso) == numbers(contoso.kid)
    assert contoso.asked == 1


async def test_fetching_too_early_delays_nobody(keys: KeySource, contoso: Issuer) -> None:
    """An issuer that starts a moment later than the app is asked again by the first who needs its keys, at once."""
    contoso.answer = lambda _: web.Response(status=500)
    await keys.get_ready()
    contoso.answer = None

    assert await find(keys, contoso) == numbers(contoso.kid)
