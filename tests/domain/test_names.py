"""Display names, as far as they can be shown."""

import pytest

from shared.domain.names import LONGEST_NAME, shown_name


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Ada Byron", "Ada Byron"),
        ("  Ada\t\nByron ", "Ada Byron"),
        ("Ad\u202ea\u200b", "Ada"),
        ("Zoë \u200b Müller", "Zoë Müller"),
        ("\u0000\u200b", None),
        ("", None),
        ("x" * 500, "x" * LONGEST_NAME),
    ],
)
def test_a_name_is_one_line_that_can_be_read(given: str, shown: str | None) -> None:
    """People choose their names, and some choose to mislead: nothing unseen is in them."""
    assert shown_name(given) == shown
