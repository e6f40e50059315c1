"""What stands for the groups of a directory."""

from shared.domain.principals import DirectoryId, ProductId, group_mark


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
