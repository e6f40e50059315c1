from datetime import timedelta

import pytest

from shared.domain.exports import is_due, outlived
from tests.people import AT

DAY = timedelta(days=1)
KEEP = 30 * DAY


@pytest.mark.parametrize(
    ("age", "due"), [(timedelta(), False), (timedelta(hours=20), False), (timedelta(hours=20, seconds=1), True)]
)
def test_a_tenant_is_due_twenty_hours_after_its_newest_export(age: timedelta, *, due: bool) -> None:
    """A run that follows a crash leaves those alone that the first one came to; the next night takes all."""
    assert is_due(AT - age, AT) is due


def test_a_tenant_that_was_never_exported_is_due() -> None:
    """Also one that was restored: it lives in a new partition."""
    assert is_due(None, AT)


def test_exports_go_after_their_time() -> None:
    """One that is exactly as old as the setting says is kept."""
    made = [AT, AT - KEEP, AT - KEEP - DAY, AT - 2 * KEEP]

    assert outlived(made, AT, keep=KEEP, lives=True) == {AT - KEEP - DAY, AT - 2 * KEEP}


def test_the_newest_export_of_a_tenant_that_lives_stays() -> None:
    """However long nothing was exported: it is all that there is."""
    made = [AT - 3 * KEEP, AT - 2 * KEEP]

    assert outlived(made, AT, keep=KEEP, lives=True) == {AT - 3 * KEEP}


def test_nothing_stays_of_a_deleted_tenant() -> None:
    """People who are gone have a right to that."""
    made = [AT - 3 * KEEP, AT - 2 * KEEP, AT - DAY]

    assert outlived(made, AT, keep=KEEP, lives=False) == {AT - 3 * KEEP, AT - 2 * KEEP}


@pytest.mark.parametrize("lives", [True, False])
def test_where_there_is_no_export_none_goes(*, lives: bool) -> None:
    """A tenant of today."""
    assert outlived([], AT, keep=KEEP, lives=lives) == frozenset()
