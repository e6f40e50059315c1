"""What principals are found by, and what stands for the groups of a directory."""

import pytest

from shared.domain.principals import DirectoryId, Kind, ProductId, group_mark, known_by
from tests.people import INTEGRATE, identity_of


def test_each_directory_has_a_mark_in_each_product() -> None:
    """So that a hook can tell whether groups matter where somebody signs in."""
    marks = {
        group_mark(DirectoryId(directory), ProductId(product))
        for directory in ("contoso", "fabrikam")
        for product in ("integrate", "assist")
    }

    assert len(marks) == 4


def test_nobody_can_be_the_mark() -> None:
    """Subjects of tokens and hooks have no blanks."""
    assert " " in group_mark(DirectoryId("contoso"), ProductId("integrate")).subject


@pytest.mark.parametrize("kind", [Kind.USER, Kind.API_KEY])
def test_people_and_keys_are_found_by_their_identity(kind: Kind) -> None:
    """And by nothing that others have, too."""
    ada = identity_of("Ada")

    assert known_by(kind, ada, INTEGRATE.id) == (ada,)


def test_a_group_is_found_by_what_stands_for_groups_as_well() -> None:
    """Whoever may be in it, and does not tell, is looked for (R13)."""
    team = identity_of("Team")

    assert known_by(Kind.GROUP, team, INTEGRATE.id) == (team, group_mark(team.directory, INTEGRATE.id))
