import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from secrets import token_bytes
from typing import Any, Never

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.principals import MemberId
from shared.identity import api_keys
from shared.identity.api_keys import (
    ALPHABET,
    Credential,
    Mode,
    NotAKey,
    Pepper,
    Peppers,
    client_address,
    looks_like_key,
    mint,
    parse,
)

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
FIRST = Pepper("1", b"p" * 32)
SECOND = Pepper("2", b"q" * 32)
THIRD = Pepper("3", b"r" * 32)


@dataclass(frozen=True)
class Stored:
    """What is stored of a secret."""

    digest: str
    pepper: str
    until: datetime | None = None


def scripted(*draws: str) -> Callable[[int], bytes]:
    """Make a source of exactly these bytes, given in hexadecimal, draw by draw."""
    left = [bytes.fromhex(draw) for draw in draws]

    def draw(count: int) -> bytes:
        drawn = left.pop(0)
        assert len(drawn) == count
        return drawn

    return draw


def number(digits: str) -> int:
    """Read a number in base 62, most significant digit first."""
    value = 0
    for digit in digits:
        value = value * 62 + ALPHABET.index(digit)
    return value


def with_check_sum(text: str) -> str:
    """Complete a key as anybody can, by the definition of CRC-32, bit by bit."""
    remainder = 0xFFFFFFFF
    for octet in text.encode():
        remainder ^= octet
        for _ in range(8):
            remainder = remainder >> 1 ^ (0xEDB88320 if remainder & 1 else 0)
    value = remainder ^ 0xFFFFFFFF
    return text + "".join(ALPHABET[value // 62**place % 62] for place in range(5, -1, -1))


def minted() -> Credential:
    """Make a key as the product does."""
    return mint(Mode.LIVE, token_bytes)


def opens(peppers: Peppers, key: Credential, *secrets: Stored, at: datetime = NOW) -> bool:
    """Tell whether a key opens what is stored."""
    return peppers.matches(key.text, secrets, at)


# Keys and digests (HMAC-SHA-256 with 32 letters p) that were computed by an independent program in another language.
KNOWN: dict[str, tuple[Mode, str, str, str, str]] = {
    "nothing but zeros": (
        Mode.LIVE,
        "00" * 9,
        "00" * 32,
        "loome_live_000000000000_00000000000000000000000000000000000000000002EGYZw",
        "3db02a6a3474d031cf0be662e47ffab5926d344fe27d91d6975593a94c64ee0a",
    ),
    "numbers with leading zeros": (
        Mode.TEST,
        "000102030405060708",
        bytes(range(32)).hex(),
        "loome_test_005McJmDgrvc_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf257RRe",
        "6877ea32ad20c80965c4e03a5ee90cd26fa62e2aa45a32fbd5bbf0d1bb2676a3",
    ),
    "the highest secret": (
        Mode.LIVE,
        "9a0102030405060708",
        "ff" * 32,
        "loome_live_saoOHmVXET1M_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp10iPXkO",
        "ffac5e6e8bdb14f3c6a95d5a188bfd482cb0c4f2ea92238ab8be23d69fafc080",
    ),
    "numbers in between": (
        Mode.LIVE,
        "7f00ff00ff00ff00ff",
        bytes(range(128, 160)).hex(),
        "loome_live_j1NukgMO85vT_UTJ58rYrgZIquWVfkfbxYLgUC62ZqGtExHZJdPsKoCF2jnH87",
        "6133c2c85d6ea696a60c670a95ecdf3b0fce566356f6db4b277ba34e0591da4e",
    ),
}
KEY = KNOWN["numbers in between"][3]


@pytest.mark.parametrize(("mode", "key_id", "entropy", "text", "digest"), KNOWN.values(), ids=KNOWN)
def test_spelling_and_digest_are_as_documented(mode: Mode, key_id: str, entropy: str, text: str, digest: str) -> None:
    """Keys in use and rows at rest outlive this program: neither may ever come out differently."""
    key = mint(mode, scripted(key_id, entropy))

    assert key.text == text
    assert key.id == text[11:23]
    assert Peppers(FIRST).digest(text) == (digest, "1")


def test_the_documented_example_is_a_key() -> None:
    """Who reads the documentation can try their own reader with it."""
    example = re.search(r"loome_\w{60,}", api_keys.__doc__ or "")

    assert example
    assert parse(example[0]).id == "005McJmDgrvc"


def test_the_documented_pattern_finds_keys() -> None:
    """Scanners find leaked keys in the middle of anything."""
    pattern = re.search(r"`(loome_\(.+)`", api_keys.__doc__ or "")
    key = minted()

    assert pattern
    assert re.findall(rf"({pattern[1]})", f'{{"key": "{key.text}"}}') == [(key.text, "live")]


@given(st.sampled_from(Mode), st.randoms(use_true_random=False))
def test_what_is_minted_can_be_parsed(mode: Mode, random: Random) -> None:
    """Whatever the randomness, the key comes out at the length promised and is understood when it comes back."""
    key = mint(mode, random.randbytes)

    assert parse(key.text) == key
    assert key.text.startswith(f"loome_{mode.value}_{key.id}_")
    assert len(key.text) == 73


@given(st.binary(min_size=32, max_size=32))
def test_all_256_random_bits_are_in_the_key(entropy: bytes) -> None:
    """Not a bit of what makes a key impossible to guess is lost on the way."""
    key = mint(Mode.LIVE, scripted("00" * 9, entropy.hex()))

    assert number(key.text[24:67]).to_bytes(32) == entropy


@pytest.mark.parametrize(
    ("draws", "key_id"),
    [
        (["aee5720ee830680fff"], "zzzzzzzzzzzz"),
        (["aee5720ee830681000", "000000000000000001"], "000000000001"),
        (["ff" * 9, "aee5720ee830681001", "00000000000000003e"], "000000000010"),
    ],
    ids=["the last id there is", "one number further", "twice too far"],
)
def test_numbers_beyond_the_last_id_are_drawn_again(draws: list[str], key_id: str) -> None:
    """Taking remainders instead would make some ids twice as likely as others."""
    key = mint(Mode.LIVE, scripted(*draws, "00" * 32))

    assert key.id == key_id


def test_every_first_character_of_an_id_is_equally_likely() -> None:
    """The first character is where a bias shows; the source always gives the same numbers here, so chance is out."""
    source = Random(62)

    seen = [mint(Mode.LIVE, source.randbytes).id[0] for _ in range(6200)]

    assert all(60 < seen.count(digit) < 140 for digit in ALPHABET)


def test_no_two_keys_are_alike() -> None:
    """Id and secret are both drawn anew for each key."""
    keys = [minted() for _ in range(200)]

    assert len({key.id for key in keys}) == 200
    assert len({key.text[24:67] for key in keys}) == 200


GARBAGE = {
    "nothing": "",
    "the prefix alone": "loome_",
    "an access token": "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl",
    "a line end after it": KEY + "\n",
    "a blank before it": " " + KEY,
    "a null character after it": KEY + "\0",
    "two keys": KEY + KEY,
    "two keys with a comma": f"{KEY},{KEY}",
    "a scheme before it": "Bearer " + KEY,
    "capitals": KEY.upper(),
    "small letters": KEY.lower(),
    "another mode": KEY.replace("live", "prod"),
    "the other mode": KEY.replace("live", "test"),
    "another product's prefix": KEY.replace("loome", "gloom"),
    "no check sum": KEY[:-6],
    "a check sum of another key": KEY[:-6] + "2EGYZw",
    "a check sum in capitals": KEY[:-6] + KEY[-6:].upper(),
    "full-width digits": KEY.replace("1", "\uff11"),
    "Arabic digits": KEY.replace("1", "\u0661"),
    "a Kelvin sign": KEY.replace("K", "\u212a"),
    "a lone surrogate": "\ud800" + KEY[1:],
    "a lone surrogate in the secret": KEY[:30] + "\ud800" + KEY[31:],
    "base64": KEY[:30] + "+/" + KEY[32:],
    "a megabyte": "loome_live_" + "0" * 1_000_000,
}


@pytest.mark.parametrize("text", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_not_a_key(text: str) -> None:
    """It is refused before storage is read."""
    with pytest.raises(NotAKey):
        parse(text)


MISSHAPEN = {
    "nothing": "",
    "another mode": "loome_prod" + KEY[10:-6],
    "no mode": "loome_" + KEY[10:-6],
    "a mode in capitals": KEY[:-6].replace("live", "LIVE"),
    "another prefix": "gloom" + KEY[5:-6],
    "something before it": "x" + KEY[:-6],
    "something after it": KEY,
    "a shorter secret": KEY[:-7],
    "a longer secret": KEY[:-6] + "0",
    "a shorter id": KEY[:12] + KEY[13:-6],
    "a longer id": KEY[:12] + KEY[11:-6],
    "an id with a slash": KEY[:12] + "/" + KEY[13:-6],
    "an id with an underscore": KEY[:12] + "_" + KEY[13:-6],
    "an id with an umlaut": KEY[:12] + "\u00fc" + KEY[13:-6],
    "a secret with a line end": KEY[:66] + "\n",
    "a secret with a digit of Arabic": KEY[:66] + "\u0661",
    "another separator": KEY[:23] + "-" + KEY[24:-6],
}


@pytest.mark.parametrize("text", MISSHAPEN.values(), ids=MISSHAPEN)
def test_a_check_sum_alone_makes_no_key(text: str) -> None:
    """Anybody can compute it; what reaches the storage as an id is twelve harmless characters all the same."""
    with pytest.raises(NotAKey):
        parse(with_check_sum(text))


@given(st.one_of(st.text(), st.from_regex(r"loome_(live|test)_\w{62}", fullmatch=True)))
def test_what_was_not_minted_is_not_a_key(text: str) -> None:
    """Even a text of the right shape is refused: its check sum is right once in four thousand millions."""
    with pytest.raises(NotAKey):
        parse(text)


def test_every_wrong_character_is_noticed() -> None:
    """A key with one character mistyped never costs a storage read, wherever and whatever it is."""
    others = ALPHABET + "_-. \n\0\u00e9\uff11"
    mistyped = {KEY[:at] + other + KEY[at + 1 :] for at in range(len(KEY)) for other in others} - {KEY}

    noticed = {text for text in mistyped if not is_key(text)}

    assert len(mistyped) == 73 * (len(others) - 1)
    assert noticed == mistyped


def is_key(text: str) -> bool:
    """Tell whether a text can be parsed."""
    try:
        parse(text)
    except NotAKey:
        return False
    return True


def test_every_lost_doubled_or_swapped_character_is_noticed() -> None:
    """These are the other ways of copying a key badly."""
    lost = {KEY[:at] + KEY[at + 1 :] for at in range(73)}
    doubled = {KEY[:at] + KEY[at] + KEY[at:] for at in range(73)}
    swapped = {KEY[:at] + KEY[at + 1] + KEY[at] + KEY[at + 2 :] for at in range(72)} - {KEY}

    assert not any(is_key(text) for text in lost | doubled | swapped)


@given(st.sampled_from([*range(11, 23), *range(24, 67)]), st.sampled_from(ALPHABET))
def test_a_forged_check_sum_does_not_help(at: int, other: str) -> None:
    """The check sum is no secret; what it lets through, the digest of the whole key refuses."""
    forged = with_check_sum(KEY[:at] + other + KEY[at + 1 : -6])
    stored = Stored(*Peppers(FIRST).digest(KEY))

    assert opens(Peppers(FIRST), parse(forged), stored) is (other == KEY[at])


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (KEY, True),
        ("loome_", True),
        ("loome_anything at all", True),
        ("", False),
        ("loome", False),
        ("LOOME_live_", False),
        (" loome_live_", False),
        ("eyJhbGciOiJSUzI1NiJ9.e30.loome_", False),
    ],
)
def test_what_is_meant_to_be_a_key_is_known_by_how_it_begins(text: str, *, meant: bool) -> None:
    """A mistyped key is judged as a key and not as an access token; no access token begins like one."""
    assert looks_like_key(text) is meant


def test_a_key_opens_what_was_stored_of_it() -> None:
    """And no other key does, with or without its id."""
    key, other = minted(), minted()
    stored = Stored(*Peppers(FIRST).digest(key.text))

    assert opens(Peppers(FIRST), key, stored)
    assert not opens(Peppers(FIRST), other, stored)


def test_a_key_that_nothing_is_stored_of_opens_nothing() -> None:
    """An unknown key and a deleted one are the same (R19)."""
    assert not opens(Peppers(FIRST, SECOND), minted())


def test_a_key_is_not_its_digest() -> None:
    """Who reads the rows cannot present what is there, and does not get further with another hash of a guess."""
    key = minted()
    digest = Peppers(FIRST).digest(key.text).digest

    assert not Peppers(FIRST).matches(digest, [Stored(digest, "1")], NOW)
    assert digest != Peppers(SECOND).digest(key.text).digest
    assert re.fullmatch(r"[0-9a-f]{64}", digest)


def test_the_mode_cannot_be_rewritten() -> None:
    """A test key with "live" written into it is another key."""
    key = mint(Mode.TEST, token_bytes)
    stored = Stored(*Peppers(FIRST).digest(key.text))
    rewritten = with_check_sum(key.text[:-6].replace("test", "live", 1))

    assert not opens(Peppers(FIRST), parse(rewritten), stored)


def test_while_the_pepper_is_changed_old_and_new_keys_work() -> None:
    """Changing it interrupts nobody."""
    old, new = minted(), minted()
    peppers = Peppers(current=SECOND, previous=FIRST)

    assert opens(peppers, old, Stored(*Peppers(FIRST).digest(old.text)))
    assert opens(peppers, new, Stored(*peppers.digest(new.text)))


def test_new_secrets_are_stored_with_the_current_pepper() -> None:
    """The previous one is only read with, so that it can go."""
    key = minted()

    assert Peppers(SECOND, FIRST).digest(key.text) == Peppers(SECOND).digest(key.text)
    assert Peppers(SECOND, FIRST).digest(key.text).pepper == "2"


@pytest.mark.parametrize("peppers", [Peppers(SECOND), Peppers(THIRD, SECOND)], ids=["one left", "two later ones"])
def test_a_secret_of_a_retired_pepper_opens_nothing(peppers: Peppers) -> None:
    """Once it is out of the settings, what was made with it is worth nothing."""
    key = minted()

    assert not opens(peppers, key, Stored(*Peppers(FIRST).digest(key.text)))


@pytest.mark.parametrize("version", ["3", "", " 1", "previous"])
@pytest.mark.parametrize("pepper", [FIRST, SECOND], ids=["previous", "current"])
def test_an_unknown_version_is_no_pepper(pepper: Pepper, version: str) -> None:
    """What a row names and the settings do not is not replaced by what the settings have."""
    key = minted()

    assert not opens(Peppers(SECOND, FIRST), key, Stored(pepper.digest(key.text), version))


@pytest.mark.parametrize(("pepper", "version"), [(FIRST, "2"), (SECOND, "1")], ids=["previous", "current"])
def test_only_the_pepper_of_the_stored_version_counts(pepper: Pepper, version: str) -> None:
    """A row is not tried with one pepper after the other."""
    key = minted()

    assert not opens(Peppers(SECOND, FIRST), key, Stored(pepper.digest(key.text), version))


@pytest.mark.parametrize("digest", ["", "0" * 64, "None"])
@pytest.mark.parametrize("version", ["1", "", "3"])
def test_a_broken_row_opens_nothing(digest: str, version: str) -> None:
    """Least of all an empty one."""
    assert not opens(Peppers(FIRST, SECOND), minted(), Stored(digest, version))


def test_two_peppers_of_one_version_are_refused() -> None:
    """One of them would silently be ignored."""
    with pytest.raises(ValueError, match="Two peppers have the version 1"):
        Peppers(FIRST, Pepper("1", b"q" * 32))


@pytest.mark.parametrize("length", [0, 1, 31])
def test_a_short_pepper_is_refused(length: int) -> None:
    """Fewer than 32 bytes could be guessed sooner than a key."""
    with pytest.raises(ValueError, match="The pepper 1 has fewer than 32 bytes"):
        Pepper("1", b"p" * length)


def test_after_a_rotation_both_secrets_work_until_the_overlap_ends() -> None:
    """The old secret works until the very moment it was given, the new one without end."""
    peppers = Peppers(FIRST)
    old, new = minted(), minted()
    end = NOW + timedelta(hours=24)
    secrets = (Stored(*peppers.digest(new.text)), Stored(*peppers.digest(old.text), until=end))

    assert opens(peppers, old, *secrets, at=end - MOMENT)
    assert not opens(peppers, old, *secrets, at=end)
    assert opens(peppers, new, *secrets, at=end - MOMENT)
    assert opens(peppers, new, *secrets, at=end + timedelta(days=9999))


@pytest.mark.parametrize("first", [FIRST, SECOND], ids=["before", "after"])
def test_a_key_may_be_rotated_while_the_pepper_is_changed(first: Pepper) -> None:
    """Each secret is compared with the pepper of its own version."""
    old, new = minted(), minted()
    peppers = Peppers(SECOND, FIRST)
    secrets = (Stored(first.digest(old.text), first.version, NOW + MOMENT), Stored(*peppers.digest(new.text)))

    assert opens(peppers, old, *secrets)
    assert opens(peppers, new, *secrets)


class Guarded(str):
    """A digest that may be compared in constant time only: `==` and `!=` fail the test."""

    __slots__ = ()

    def __eq__(self, other: object) -> Never:
        pytest.fail("A digest was compared in a way that ends at the first difference.")

    __ne__ = __eq__

    __hash__ = None  # type: ignore[assignment]  # nor can it be looked for in a set


def test_digests_are_compared_in_constant_time() -> None:
    """How long a refusal takes must not tell how much of a digest was right."""
    key, other = minted(), minted()
    stored = Stored(Guarded(FIRST.digest(key.text)), "1")

    assert opens(Peppers(FIRST), key, stored)
    assert not opens(Peppers(FIRST), other, stored)


class Watched:
    """A stored secret that notes when its digest is looked at."""

    pepper = "1"
    until = None

    def __init__(self, digest: str, seen: list[str]) -> None:
        self._digest = digest
        self._seen = seen

    @property
    def digest(self) -> str:
        """Let the digest be seen."""
        self._seen.append(self._digest)
        return self._digest


@pytest.mark.parametrize("at", [0, 1, 2])
def test_every_secret_is_compared_also_after_a_match(at: int) -> None:
    """How long it takes must not tell which of the secrets it was."""
    key = minted()
    digests = ["0" * 64, "1" * 64, "2" * 64]
    digests[at] = FIRST.digest(key.text)
    seen: list[str] = []

    found = Peppers(FIRST).matches(key.text, [Watched(digest, seen) for digest in digests], NOW)

    assert found
    assert seen == digests


UNSHOWN = {
    "a key": Credential(MemberId("j1NukgMO85vT"), KEY),
    "a pepper": Pepper("1", b"secret" * 6),
    "peppers": Peppers(Pepper("2", b"secret" * 6), previous=Pepper("1", b"secret" * 7)),
}


@pytest.mark.parametrize("thing", UNSHOWN.values(), ids=UNSHOWN)
@pytest.mark.parametrize("show", [repr, str, "{}".format, "{!r}".format, "%s".__mod__])
def test_no_secret_is_shown(thing: Any, show: Callable[[Any], str]) -> None:
    """What is logged or ends up in a message by mistake must not open anything."""
    shown = show(thing)

    assert "secret" not in shown
    assert KEY[24:67] not in shown


def test_a_key_is_shown_by_its_id() -> None:
    """That is how it is called in lists, logs and the audit."""
    assert repr(parse(KEY)) == "Credential(id='j1NukgMO85vT')"


@pytest.mark.parametrize("text", ["loome_live_mistyped", KEY[:-1] + "0", "\ud800" + KEY[1:], KEY[:-1] + "\ud800"])
def test_a_refusal_repeats_nothing_of_the_text(text: str) -> None:
    """A key that was mistyped is nearly a key."""
    with pytest.raises(NotAKey) as refused:
        parse(text)

    assert refused.value.args == ()
    assert refused.value.__context__ is None
    assert text[11:] not in "".join(traceback.format_exception(refused.value))


def test_a_refused_pepper_is_not_repeated() -> None:
    """The message goes to logs."""
    with pytest.raises(ValueError, match="fewer") as short:
        Pepper("1", b"secret")
    with pytest.raises(ValueError, match="Two") as twice:
        Peppers(FIRST, FIRST)

    assert "secret" not in repr(short.value)
    assert "ppp" not in repr(twice.value)


ADDRESSES = {
    "an address": ("203.0.113.7", "203.0.113.7"),
    "an address and a port": ("203.0.113.7:5678", "203.0.113.7"),
    "the lowest": ("0.0.0.0", "0.0.0.0"),  # noqa: S104 - nobody listens on it here
    "the highest": ("255.255.255.255:65535", "255.255.255.255"),
    "blanks around": (" \t203.0.113.7:5678 \t", "203.0.113.7"),
    "what a client sent to the left": ("10.0.0.1, 203.0.113.7:5678", "203.0.113.7"),
    "no blank after the comma": ("10.0.0.1,203.0.113.7", "203.0.113.7"),
    "several headers joined": ("10.0.0.1, 10.0.0.2,10.0.0.3:80, 203.0.113.7:5678", "203.0.113.7"),
    "garbage to the left": ('unknown, "; drop, ::1, \ud800, 203.0.113.7', "203.0.113.7"),
    "IPv6 to the left": ("[2001:db8::1]:443, 203.0.113.7", "203.0.113.7"),
    "nothing to the left": (",203.0.113.7", "203.0.113.7"),
}


@pytest.mark.parametrize(("header", "address"), ADDRESSES.values(), ids=ADDRESSES)
def test_the_caller_is_where_the_platform_says(header: str, address: str) -> None:
    """The right-most entry is the platform's; all others are whatever the client liked to send."""
    assert client_address(header) == address


NO_ADDRESSES = {
    "no header": None,
    "an empty header": "",
    "blanks": " \t",
    "a comma": ",",
    "nothing after the comma": "203.0.113.7,",
    "blanks after the comma": "203.0.113.7, ",
    "IPv6": "2001:db8::1",
    "IPv6 with a port": "[2001:db8::1]:5678",
    "IPv6 after an address": "203.0.113.7, 2001:db8::1",
    "IPv4 in IPv6": "::ffff:203.0.113.7",
    "IPv4 in IPv6 with a port": "[::ffff:203.0.113.7]:5678",
    "garbage after an address": "203.0.113.7, unknown",
    "three numbers": "203.0.113",
    "five numbers": "203.0.113.7.7",
    "a number too high": "203.0.113.256",
    "a leading zero, which some read as octal": "203.0.113.07",
    "one number": "3405803783",
    "hexadecimal": "0xcb007107",
    "a sign": "203.0.113.-7",
    "a network": "203.0.113.0/24",
    "dots": "...",
    "an empty number": "203..113.7",
    "a port that is missing": "203.0.113.7:",
    "a port that is a word": "203.0.113.7:http",
    "a port with a sign": "203.0.113.7:+80",
    "two ports": "203.0.113.7:80:80",
    "a port without end": "203.0.113.7:" + "1" * 100_000,
    "a blank inside": "203.0.113.7 :80",
    "another separator": "10.0.0.1; 203.0.113.7",
    "two addresses with a blank": "10.0.0.1 203.0.113.7",
    "quotes": '"203.0.113.7"',
    "as in Forwarded": "for=203.0.113.7",
    "a name": "localhost",
    "a line end": "203.0.113.7\n",
    "a null character": "203.0.113.7\0",
    "full-width digits": "20\uff13.0.113.7",
    "Arabic digits": "20\u0663.0.113.7",
    "a full-width comma": "10.0.0.1\uff0c203.0.113.7",
    "a no-break space": "\u00a0203.0.113.7",
    "a lone surrogate": "203.0.113.7\ud800",
    "a megabyte": "1" * 1_000_000,
    "a megabyte of dots": "." * 1_000_000,
}


@pytest.mark.parametrize("header", NO_ADDRESSES.values(), ids=NO_ADDRESSES)
def test_a_caller_without_ipv4_address_is_nowhere(header: str | None) -> None:
    """A firewall lets nobody in whose address is not known; entries further left are not asked instead."""
    assert client_address(header) is None


@given(st.text(), st.ip_addresses(v=4).map(str), st.one_of(st.just(""), st.integers(0, 65535).map(":{}".format)))
def test_nothing_that_a_client_sends_is_believed(sent: str, address: str, port: str) -> None:
    """Whatever it claims, the platform's entry comes after it."""
    assert client_address(f"{sent},{address}{port}") == address


@given(st.one_of(st.text(), st.text(alphabet="0123456789.:, []"), st.ip_addresses().map(str)))
def test_the_result_is_an_address_that_was_appended_or_nothing(header: str) -> None:
    """No header makes it fail, and none makes an address up."""
    address = client_address(header)

    assert address is None or header.rpartition(",")[2].strip(" \t").partition(":")[0] == address
