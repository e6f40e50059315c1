from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.principals import Address
from shared.email.invitation import render
from shared.email.mail import Mail

URL = "https://acme.loome.test/"
ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=200) | st.sampled_from(
    ["<script>alert(1)</script>", '"><img src=x onerror=y>', "</td></table>", "&lt;b&gt;", "{product} $link ${x}", "%s"]
)


class Page(HTMLParser):
    """What a mail program would make of an HTML mail: its elements, links and visible text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.links: list[str | None] = []
        self.visible = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element, and where it leads."""
        self.elements.append(" ".join([tag, *(name for name, _ in attrs)]))
        self.links += [value for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data: str) -> None:
        """Note what can be read."""
        self.visible += data.replace("\u200c", "")


def invitation(**changes: Any) -> Mail:
    """Render an invitation, with some facts changed."""
    facts: dict[str, Any] = {
        "tenant_name": "Acme",
        "product_name": "Loome Integrate",
        "url": URL,
        "to": Address("ada@contoso.test"),
        "invited_by": "Bo",
    }
    return render(**(facts | changes))


def test_an_invitation_tells_tenant_and_product() -> None:
    """The mail says to which tenant of which product somebody was added (R4)."""
    mail = invitation()

    assert mail.to == "ada@contoso.test"
    assert mail.subject == "You have been added to Acme (Loome Integrate)"
    assert "added you to the tenant Acme (Loome Integrate)" in mail.text
    assert "added you to the tenant Acme (Loome Integrate)" in Page(mail.html).visible


def test_every_link_is_the_tenants_own_url() -> None:
    """The link carries nothing secret, nothing personal and leads nowhere else (R4)."""
    mail = invitation()

    links = Page(mail.html).links
    assert links
    assert set(links) == {URL}
    assert [word for word in mail.text.split() if "://" in word] == [URL]


def test_both_forms_say_that_signing_in_is_enough() -> None:
    """Nobody needs to click anything (R4)."""
    mail = invitation()

    for form in (mail.text, Page(mail.html).visible):
        assert "Sign in with ada@contoso.test" in form
        assert "nothing to accept or confirm" in form


def test_who_invited_is_named() -> None:
    """The reader learns whom to ask."""
    mail = invitation(invited_by="Bo Chen")

    assert mail.text.startswith("Bo Chen added you")
    assert "Bo Chen added you" in Page(mail.html).visible


@pytest.mark.parametrize("nobody", [None, "", "\u200b\n"])
def test_without_a_name_the_inviter_is_not_mentioned(nobody: str | None) -> None:
    """Keys and operators invite as well."""
    mail = invitation(invited_by=nobody)

    assert mail.text.startswith("You have been added to the tenant Acme")
    assert "You have been added to the tenant Acme" in Page(mail.html).visible


def test_a_tenant_without_a_visible_name_is_called_something() -> None:
    """The sentence stays whole."""
    assert (
        invitation(tenant_name="\u200b \n").subject
        == "You have been added to a tenant without a name (Loome Integrate)"
    )


@given(tenant=ANYTHING, product=ANYTHING, inviter=ANYTHING)
def test_no_name_changes_what_a_mail_is_made_of(tenant: str, product: str, inviter: str) -> None:
    """Names are text: they add no element, attribute, link, line or placeholder, whatever is in them."""
    mail = invitation(tenant_name=tenant, product_name="P" + product, invited_by="I" + inviter)

    assert Page(mail.html).elements == Page(invitation().html).elements
    assert set(Page(mail.html).links) == {URL}
    assert len(mail.text.splitlines()) == len(invitation().text.splitlines())
    assert len(mail.subject.splitlines()) == 1
    (mail.subject + mail.text + mail.html).encode()


def test_placeholders_in_a_name_stay_what_they_are() -> None:
    """A name is not a template."""
    mail = invitation(tenant_name="{product} $link ${footer} {0}")

    assert "the tenant {product} $link ${footer} {0} (Loome" in mail.text
    assert "the tenant {product} $link ${footer} {0} (Loome" in Page(mail.html).visible


def test_a_huge_name_is_cut() -> None:
    """Ten thousand characters do not bury the message."""
    mail = invitation(tenant_name="N" * 10_000, invited_by="B" * 10_000)

    assert len(mail.subject) < 200
    assert len(mail.text) < 2_000


def test_addresses_in_names_become_no_links() -> None:
    """Display names are chosen by whoever sends the invitation; the mail is ours."""
    mail = invitation(invited_by="Call https://evil.test now", tenant_name="evil.test")

    for form in (mail.text, mail.html):
        assert "evil.test" not in form.replace("<title>You have been added to evil.test", "")
        assert "https://evil" not in form


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=60))
def test_a_url_stays_one_link(path: str) -> None:
    """Quotes, blanks, brackets and line breaks in a URL end neither the attribute nor the line."""
    mail = invitation(url=URL + path)

    page = Page(mail.html)
    assert page.elements == Page(invitation().html).elements
    [link] = set(page.links)
    assert link is not None
    assert link.startswith(URL)
    assert link.isprintable()
    assert " " not in link
    assert f"\n{link}\n" in mail.text


def test_a_url_with_a_query_arrives_unchanged() -> None:
    """An ampersand in a link is not the start of an HTML entity."""
    url = "https://acme.loome.test/?from=mail&copy=2"

    mail = invitation(url=url)

    assert set(Page(mail.html).links) == {url}
    assert url in mail.text


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://acme.test/", "//acme.test", "https://", "acme.test", ""])
def test_other_addresses_are_no_tenants_url(url: str) -> None:
    """A mail without a link that works is better not written."""
    with pytest.raises(ValueError, match="URL"):
        invitation(url=url)
