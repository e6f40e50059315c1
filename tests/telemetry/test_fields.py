from enum import StrEnum

import pytest

from shared.telemetry.fields import LONGEST, line, redacted, told


class Word(StrEnum):
    """A word of ours."""

    ONE = "one"


def test_a_line_is_a_name_and_fields() -> None:
    """Plain values stand as they are; others are JSON strings, so that a line stays a line."""
    fields = told({"tenant": "acme", "count": 3, "good": True, "word": Word.ONE, "seconds": 0.25, "left": None,
                   "all": ["a", "b"], "why": 'no "answer"\nat all'})  # fmt: skip

    assert line("mail.unavailable", fields) == (
        'mail.unavailable tenant=acme count=3 good=true word=one seconds=0.25 all="a,b" why="no \\"answer\\"\\nat all"'
    )


def test_an_event_without_fields_is_its_name() -> None:
    """Queries look for the first word."""
    assert line("work.unreadable", {}) == "work.unreadable"


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("Recipient ada@contoso.test is suppressed", "Recipient <address> is suppressed"),
        ("<ada@contoso.test>,bo.b+x@a.test;", "<<address>>,<address>;"),
        ("/users?mail=ada%40contoso.test&x=1", "/users?mail=<address>&x=1"),
        ("got eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln back", "got <token> back"),
        ("Authorization: Bearer abc.def", "Authorization: <credential>"),
        ("Basic YWRhOmJv and more", "<credential> and more"),
        ("loome_test_005McJmDgrvc_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf257RRe", "<key>"),
        ("https://x.test/?sv=1&sig=aB%2Bc&se=2", "https://x.test/?sv=1&<credential>&se=2"),
        ("AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6;EndpointSuffix=x", "<credential>;EndpointSuffix=x"),
        ("no answer in 5.0 s", "no answer in 5.0 s"),
        ("https://login.test/c0000000/v2.0", "https://login.test/c0000000/v2.0"),
    ],
)
def test_what_can_be_recognised_is_taken_out(text: str, instead: str) -> None:
    """Whoever told it: a service, a library, or a defect of ours."""
    assert redacted(text) == instead


def test_fields_are_redacted_and_short() -> None:
    """A value is never as long as a mail."""
    fields = told({"why": "ada@contoso.test", "long": "x" * 1000})

    assert fields == {"why": "<address>", "long": "x" * LONGEST}
