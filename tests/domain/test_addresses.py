import subprocess
import sys

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from shared.domain.addresses import BadAddress, address_in, canonical, domain_of, is_spelling_of, split
from shared.domain.principals import Address

ADA = Address("ada@contoso.test")

GOOD = {
    "a quote": ("o'brien@x.com", "o'brien@x.com"),
    "a slash": ("a/b@x.com", "a/b@x.com"),
    "a plus tag": ("a+b@x.com", "a+b@x.com"),
    "dots": ("a.b.c@x.com", "a.b.c@x.com"),
    "a hash": ("a#b@x.com", "a#b@x.com"),
    "capitals": ("Ada.BYRON@Contoso.TEST", "ada.byron@contoso.test"),
    "a postmaster": ("PostMaster@x.com", "postmaster@x.com"),
    "blanks around": (" \t a@x.com\r\n", "a@x.com"),
    "a reserved domain": ("a@contoso.test", "a@contoso.test"),
    "an example domain": ("a@contoso.example", "a@contoso.example"),
    "a domain with umlaut": ("a@bücher.example", "a@xn--bcher-kva.example"),
    "a domain with decomposed umlaut": ("a@bu\u0308cher.example", "a@xn--bcher-kva.example"),
    "a domain with capital umlaut": ("a@BÜCHER.example", "a@xn--bcher-kva.example"),
    "an encoded domain": ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
    "an encoded domain in capitals": ("a@XN--BCHER-KVA.example", "a@xn--bcher-kva.example"),
    "a sharp s, which IDNA 2008 keeps": ("a@straße.de", "a@xn--strae-oqa.de"),
    "a domain in Chinese with its full stop": ("a@例え。テスト", "a@xn--r8jz45g.xn--zckzah"),
    "a Kelvin sign in the domain": ("a@\u212a.com", "a@k.com"),
    "the longest local part": ("a" * 64 + "@x.com", "a" * 64 + "@x.com"),
}

BAD = {
    "nothing": "",
    "blanks only": " \t\r\n",
    "no @": "ada.contoso.test",
    "nothing before the @": "@x.com",
    "nothing after the @": "a@",
    "only an @": "@",
    "dotless i": "ad\u0131@x.com",
    "capital I with dot": "\u0130da@x.com",
    "long s": "\u017fam@x.com",
    "Kelvin sign": "\u212aim@x.com",
    "Cyrillic a": "\u0430da@x.com",
    "Greek omicron": "b\u03bf@x.com",
    "umlaut in the local part": "jürgen@x.com",
    "combining mark in the local part": "a\u0308@x.com",
    "full-width letters in the local part": "\uff41da@x.com",
    "full-width @": "a\uff20x.com",
    "small @": "a\ufe6bx.com",
    "zero-width space": "a\u200b@x.com",
    "zero-width space in the domain": "a@x\u200b.com",
    "zero-width joiner in the domain": "a@x\u200d.com",
    "zero-width non-joiner in the domain": "a@x\u200c.com",
    "soft hyphen in the domain": "a@con\u00adtoso.test",
    "byte order mark": "\ufeffa@x.com",
    "word joiner": "a@x\u2060.com",
    "right-to-left override": "a@x\u202e.com",
    "variation selector": "a\ufe0f@x.com",
    "no-break space around": "\u00a0a@x.com",
    "ideographic space around": "a@x.com\u3000",
    "line separator": "a@x.com\u2028",
    "null character": "a\0@x.com",
    "null character at the end": "a@x.com\0",
    "vertical tab around": "\va@x.com",
    "escape character": "a\x1b[31m@x.com",
    "delete character": "a\x7f@x.com",
    "header injection": "a@x.com\r\nBcc: b@x.com",
    "blank inside": "a b@x.com",
    "blank before the @": "a @x.com",
    "blank after the @": "a@ x.com",
    "lone surrogate": "\ud800@x.com",
    "lone surrogate in the domain": "a@\udfff.com",
    "private use character": "a@\ue000.com",
    "unassigned character": "a@\U000e0fff.com",
    "display name": "Alice <a@x.com>",
    "angle brackets": "<a@x.com>",
    "quoted local part": '"a b"@x.com',
    "needlessly quoted local part": '"a"@x.com',
    "quoted @": '"a@b"@x.com',
    "comment": "a(b)@x.com",
    "comment at the end": "a@x.com(b)",
    "backslash": "a\\b@x.com",
    "domain literal": "a@[192.0.2.1]",
    "IPv6 literal": "a@[IPv6:::1]",
    "bare IPv4 address": "a@192.0.2.1",
    "trailing dot": "a@x.com.",
    "full-width trailing dot": "a@x.com\uff0e",
    "leading dot in the domain": "a@.x.com",
    "two dots in the domain": "a@x..com",
    "trailing dot in the local part": "a.@x.com",
    "leading dot in the local part": ".a@x.com",
    "two dots in the local part": "a..b@x.com",
    "two addresses with a comma": "a@x.com,b@x.com",
    "two addresses with a semicolon": "a@x.com;b@x.com",
    "two addresses with a blank": "a@x.com b@x.com",
    "a route": "@y.com:a@x.com",
    "two @": "a@@x.com",
    "percent hack with @": "a@b@x.com",
    "a scheme": "mailto:a@x.com",
    "a query": "a@x.com?subject=x",
    "a path": "a@x.com/y",
    "a port": "a@x.com:25",
    "an underscore in the domain": "a@x_y.com",
    "a hyphen first in a label": "a@-x.com",
    "a hyphen last in a label": "a@x-.com",
    "false punycode": "a@xn--a.com",
    "punycode of plain ASCII": "a@xn--contoso-.com",
    "reserved hyphens": "a@ab--c.com",
    "a character that becomes a slash": "a@x\u2100y.com",
    "a character that becomes a dot": "a@\u2488com.com",
    "one label": "a@contoso",
    "numeric top-level domain": "a@x.123",
    "a local part of 65": "a" * 65 + "@x.com",
    "a label of 64": "a@" + "b" * 64 + ".com",
    "an address of 255": "a" * 63 + "@" + ".".join(["b" * 62] * 3) + ".cc",
    "a domain that is too long only once encoded": "a" * 60 + "@" + ".".join(["ü" + "b" * 55] * 3) + ".com",
    "a megabyte": "a" * 1_000_000 + "@x.com",
    "a megabyte of @": "@" * 1_000_000,
}


@pytest.mark.parametrize(("raw", "spelling"), GOOD.values(), ids=GOOD)
def test_a_good_address_has_one_spelling(raw: str, spelling: str) -> None:
    """An address is believed as it is meant, and comes out in lower case with an encoded domain."""
    assert canonical(raw) == spelling


@pytest.mark.parametrize("raw", BAD.values(), ids=BAD)
def test_what_is_not_exactly_one_plain_address_is_refused(raw: str) -> None:
    """Refusal is a sentence that tells why."""
    with pytest.raises(BadAddress, match=r"^[A-Z].*\.$"):
        canonical(raw)


def test_a_refusal_repeats_nothing_of_the_text() -> None:
    """What was typed may be somebody's data: reasons are a few constant sentences, and no cause is shown with them."""
    refusals = [refusal_of(raw) for raw in BAD.values()]

    assert len({str(refusal) for refusal in refusals}) == 6
    assert all(refusal.__cause__ is None for refusal in refusals)
    assert all(refusal.__suppress_context__ or refusal.__context__ is None for refusal in refusals)


def refusal_of(raw: str) -> BadAddress:
    """Return the refusal of a text that is no address."""
    with pytest.raises(BadAddress) as refusal:
        canonical(raw)
    return refusal.value


def test_the_longest_address_is_254_characters() -> None:
    """RFC 5321 has room for 254 characters, counted in the canonical spelling."""
    domain = ".".join(["b" * 61] * 3) + ".ccc"
    raw = "a" * (254 - 1 - len(domain)) + "@" + domain

    assert len(raw) == 254
    assert canonical(raw) == raw
    with pytest.raises(BadAddress):
        canonical("a" + raw)


def test_plus_tags_and_dots_are_other_mailboxes() -> None:
    """Only one provider ignores dots; to all others they are different people."""
    spellings = {canonical(raw) for raw in ("a.b@x.com", "ab@x.com", "ab+c@x.com")}

    assert len(spellings) == 3


HOSTILE = st.text(
    st.one_of(
        st.sampled_from(list("abzAZ019.-_+'/#<>()[]\"\\,;: \t\r\n@@")),
        st.sampled_from(
            list(
                "\u00fc\u00df\u0131\u017fK\u0430\u03a9\u03c2\uff20\ufe6b\u3002\uff0e\uff43\u2100\u2488\ufb00\u200b\u200c\u200d\u00ad\u0308\u202e\ufeff\u05d0\u0628\u06f1\u4f8b"
            )
        ),
        st.characters(),
    ),
    max_size=30,
)
LIKELY = st.builds("{}@{}.{}".format, HOSTILE, HOSTILE, st.sampled_from(["com", "TEST", "ﬀ", "例", "xn--zckzah"]))
PLAUSIBLE = st.builds("{}@{}.com".format, st.from_regex(r"[\w.+']{1,9}", fullmatch=True), st.text(max_size=6))


@given(st.one_of(HOSTILE, LIKELY, PLAUSIBLE))
@example("a@\u212a.com")
@example("A@XN--BCHER-KVA.Example")
@example("a@ς.com")
def test_the_canonical_spelling_is_its_own_and_is_plain_ascii(raw: str) -> None:
    """Whatever is accepted is fit to be compared, hashed and put into a mail's envelope as it stands."""
    try:
        address = canonical(raw)
    except BadAddress:
        return

    assert canonical(address) == address
    assert address.isascii()
    assert address.isprintable()
    assert address == address.lower()
    assert address.count("@") == 1
    assert not set(' <>",;:()[]\\') & set(address)
    assert len(address) <= 254


@given(st.one_of(HOSTILE, LIKELY, PLAUSIBLE, st.emails()))
@example(f"a@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'ü' * 50}.test")
def test_a_library_that_looks_at_the_whole_address_says_the_same(raw: str) -> None:
    """What is before the @ is looked at here, the domain by the library, and each domain once."""
    try:
        whole = validate_email(
            raw.strip(" \t\r\n"),
            allow_smtputf8=False,
            check_deliverability=False,
            test_environment=True,
            strict=True,
        )
        judged = f"{whole.local_part}@{whole.ascii_domain}".lower()
    except EmailNotValidError:
        judged = None

    assert address_in(raw) == judged


@given(st.emails())
def test_case_and_blanks_do_not_make_another_address(raw: str) -> None:
    """One person is one member, whatever the spelling (R3)."""
    try:
        address = canonical(raw)
    except BadAddress:
        return

    assert canonical(f" {raw.upper()}\n") == address
    assert canonical(f"\t{raw.lower()} ") == address


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        (" ; ;; \t", []),
        ("a@x.com", ["a@x.com"]),
        (" a@x.com ;b@x.com;; c@x.com\n;", ["a@x.com", "b@x.com", "c@x.com"]),
        ("Alice <a@x.com>; b@x.com", ["Alice <a@x.com>", "b@x.com"]),
        ("a@x.com, b@x.com", ["a@x.com, b@x.com"]),
        ("a@x.com;A@x.com", ["a@x.com", "A@x.com"]),
    ],
)
def test_addresses_are_separated_by_semicolons_only(text: str, pieces: list[str]) -> None:
    """Blanks around pieces and empty pieces are nothing; every piece is judged on its own later (R2)."""
    assert split(text) == pieces


def test_the_domain_is_what_follows_the_at() -> None:
    """Domains are compared with configured ones, in their encoded form."""
    assert domain_of(canonical("Ada@BÜCHER.example")) == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("texts", "address"),
    [
        ((), None),
        ((None, "", "+1 555 0100", "Ada"), None),
        ((" ADA@Contoso.Test ",), ADA),
        ((None, "+1 555 0100", "ada@contoso.test", "bo@contoso.test"), ADA),
    ],
)
def test_the_first_text_that_is_an_address_is_taken(texts: tuple[str | None, ...], address: Address | None) -> None:
    """Directories have names, telephone numbers and nothing where an address is expected."""
    assert address_in(*texts) == address


@pytest.mark.parametrize("raw", ["ada@contoso.test", " ADA@Contoso.Test "])
def test_other_spellings_are_recognised(raw: str) -> None:
    """Directories spell names as they like."""
    assert is_spelling_of(raw, ADA)


@pytest.mark.parametrize("raw", ["", "bo@contoso.test", "ada@contoso.test.evil.test", "ada", "\u0430da@contoso.test"])
def test_other_texts_are_not_spellings(raw: str) -> None:
    """Neither another address nor a text that is none."""
    assert not is_spelling_of(raw, ADA)


def test_no_resolver_is_loaded() -> None:
    """Addresses are spelt, never looked up; the resolver would cost a cold start its import time."""
    program = "import sys, shared.domain.addresses as a; a.canonical('a@x.com'); sys.exit('dns' in sys.modules)"

    process = subprocess.run([sys.executable, "-c", program], check=False)  # noqa: S603 - a program written here

    assert process.returncode == 0
