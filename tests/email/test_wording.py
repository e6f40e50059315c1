import pytest

from shared.email.wording import ENGLISH, wording


@pytest.mark.parametrize("locale", ["en", "en-AU", "en_GB", "EN"])
def test_a_locale_is_served_by_its_language(locale: str) -> None:
    """Regions and spelling do not matter."""
    assert wording(locale) is ENGLISH


@pytest.mark.parametrize("locale", ["tlh", "", "-", "x-klingon"])
def test_a_language_that_nobody_wrote_is_english(locale: str) -> None:
    """An invitation is never held back for want of a translation."""
    assert wording(locale) is ENGLISH
