import pytest

from local.directory.search import Search

PROPERTIES = frozenset({"displayName", "mail"})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"displayName:ada"', True),
        ('"displayName:BYR"', True),
        ('"displayName:byr ad"', True),
        ('"displayName:yron"', False),
        ('"displayName:ada diaz"', False),
        ('"displayName:77"', True),
        ('"displayName:\\""', True),
        ('"mail:ada@"', True),
        ('"mail:contoso"', False),
        ('"mail:byron" OR "displayName:byron"', True),
    ],
)
def test_names_are_found_by_words_and_addresses_from_their_beginning(text: str, *, found: bool) -> None:
    """As in Graph: only names are split into words, and any case will do."""
    search = Search.parsed(text, PROPERTIES)

    assert search.finds({"displayName": 'Ada "77" Byron', "mail": "ada@contoso.test"}) is found


def test_somebody_without_an_address_is_not_found_by_it() -> None:
    """A property that is null has no beginning."""
    assert not Search.parsed('"mail:none"', PROPERTIES).finds({"displayName": "Ada", "mail": None})


def test_an_escaped_quote_does_not_end_a_clause() -> None:
    """What looks like a second clause is text of the first one."""
    search = Search.parsed('"displayName:x\\" OR \\"mail:ada"', PROPERTIES)

    assert len(search.clauses) == 1
    assert search.clauses[0].text == 'x" OR "mail:ada'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "displayName:ada",
        '"ada"',
        '"displayName:"',
        '"department:ada"',
        '"displayName:ada',
        '"displayName:a"b"',
        '"displayName:back\\slash"',
        '"displayName:ada" AND "mail:ada"',
        '"displayName:ada" or "mail:ada"',
    ],
)
def test_a_search_that_graph_would_not_take_is_refused(text: str) -> None:
    """An adapter that forgets to quote or escape shows here, not with the first real customer."""
    with pytest.raises(ValueError, match=r"\.$"):
        Search.parsed(text, PROPERTIES)
