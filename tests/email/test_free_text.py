import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from shared.email.free_text import tidy, unlinked, without_addresses

ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)


@given(ANYTHING)
def test_a_tidy_text_is_one_visible_line_that_can_be_encoded(text: str) -> None:
    """Whatever somebody calls a tenant, no header ends early and nothing hidden reorders the line."""
    tidied = tidy(text, limit=40)

    categories = {unicodedata.category(c) for c in tidied if c not in "\u200c\u200d"}
    assert not {c for c in categories if c.startswith("C")}
    assert not categories & {"Zl", "Zp"}
    assert len(tidied) <= 40
    assert tidied == tidied.strip()
    tidied.encode()


@given(ANYTHING)
def test_tidying_twice_changes_nothing(text: str) -> None:
    """A tidy text is as it should be."""
    once = tidy(text, limit=40)

    assert tidy(once, limit=40) == once


def test_line_breaks_become_blanks() -> None:
    """A header cannot be injected through a name."""
    assert tidy("Acme\r\nBcc: all@acme.test\u2028x\x00y", limit=100) == "Acme Bcc: all@acme.test xy"


def test_bidirectional_overrides_vanish() -> None:
    """A name cannot turn what follows it around."""
    assert tidy("\u202eemcA\u2066 Ltd\u2069", limit=100) == "emcA Ltd"


def test_ordinary_names_stay_as_they_are() -> None:
    """Letters of any script, signs and emoji are nobody's trick."""
    for name in (
        "O'Brien & Söhne <Sydney>",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "株式会社ルーム",
        "👩\u200d🔬 Labs",
        "a/b + c: $5 {x}",
    ):
        assert tidy(name, limit=100) == name


def test_a_long_text_is_cut_with_an_ellipsis() -> None:
    """The reader sees that something is missing."""
    assert tidy("A" * 10_000, limit=10) == "AAAAAAAAA…"


def test_a_text_of_invisible_characters_is_empty() -> None:
    """What nobody can see is no name."""
    assert tidy("\u200d\u200b\t\u2060 \u200c\ufeff", limit=10) == ""


def test_an_address_in_a_text_is_taken_apart() -> None:
    """Mail programs turn addresses into links, but only unbroken ones."""
    apart = unlinked("Ada https://evil.test/x ada@evil.test \\\\evil mailto:x evil。test")

    for address in ("https://", "evil.test", "@evil", "\\\\evil", "mailto:x", "evil。test"):
        assert address not in apart


@given(ANYTHING)
def test_an_unlinked_text_looks_the_same(text: str) -> None:
    """Only invisible characters are added."""
    assert unlinked(text).replace("\u200c", "") == text.replace("\u200c", "")


@given(st.text(), st.from_regex(r"[a-z.+]{1,9}", fullmatch=True), st.text(), st.sampled_from(["@", "%40", "\uff20"]))
def test_no_address_is_left_of_a_text(before: str, name: str, after: str, at: str) -> None:
    """Whatever stands around it, and however its at sign is spelt."""
    left = without_addresses(f"{before} {name}{at}contoso.test {after}")

    assert f"{name}{at}" not in left
    assert "@contoso" not in left


def test_a_text_without_an_address_stays_as_it_is() -> None:
    """What the service says about the mail itself is for administrators."""
    assert without_addresses("The content is too large.") == "The content is too large."
