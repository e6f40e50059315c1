"""The invitation mail: tells somebody that they were added to a tenant (R4)."""

import html
from dataclasses import asdict
from functools import cache
from pathlib import Path
from string import Template
from urllib.parse import quote, urlsplit

from shared.domain.principals import Address
from shared.email.free_text import tidy, unlinked
from shared.email.mail import Mail
from shared.email.wording import Wording, wording

NAME_LIMIT = 100
"""Characters of a name that a mail repeats; the pages of the products show the whole."""

_NOT_IN_LINKS = frozenset(' "<>\\^`{|}')


def render(
    *, tenant_name: str, product_name: str, url: str, to: Address, invited_by: str | None, locale: str = "en"
) -> Mail:
    """
    Write the mail that tells a newly invited person where they have access now (R4).

    The link is the tenant's own URL (http or https, else ValueError) and carries nothing: signing in is what accepts.
    Names are free text that others chose; they are cleaned, cut at 100 characters, escaped, and never become links.
    """
    words = wording(locale)
    names = {
        "tenant": tidy(tenant_name, limit=NAME_LIMIT) or words.nameless,
        "product": tidy(product_name, limit=NAME_LIMIT),
        "inviter": tidy(invited_by or "", limit=NAME_LIMIT),
    }
    link = _link(url)
    return Mail(
        to=to,
        subject=words.subject.format_map(names),
        text=_text(words, names, link, to),
        html=_html(words, names, link, to),
    )


def _link(url: str) -> str:
    """Return the URL with everything encoded that could end it early or hide where it leads."""
    if not url.startswith(("https://", "http://")) or not urlsplit(url).hostname:
        raise ValueError("A tenant's URL starts with http:// or https:// and a host.")
    return "".join(c if c.isprintable() and c not in _NOT_IN_LINKS else quote(c, errors="replace") for c in url)


def _text(words: Wording, names: dict[str, str], link: str, to: Address) -> str:
    say = _sentences(words, {key: unlinked(name) for key, name in names.items()} | {"address": to})
    paragraphs = (
        say["added"],
        say["sign_in"],
        f"{say['link_label']}\n{link}",
        say["nothing_to_confirm"],
        say["unexpected"],
        f"-- \n{say['footer']}\n",
    )
    return "\n\n".join(paragraphs)


def _html(words: Wording, names: dict[str, str], link: str, to: Address) -> str:
    isolated = {key: f"<bdi>{html.escape(unlinked(name))}</bdi>" if name else "" for key, name in names.items()}
    say = _sentences(words, isolated | {"address": html.escape(to)})
    subject = html.escape(words.subject.format_map(names))
    return _template().substitute(say, subject=subject, product=isolated["product"], link=html.escape(link))


def _sentences(words: Wording, values: dict[str, str]) -> dict[str, str]:
    """Put the values, already fit for the medium, into every sentence; `added` names who did it where that is known."""
    say = {name: pattern.format_map(values) for name, pattern in asdict(words).items()}
    return say | {"added": say["added_by"]} if values["inviter"] else say


@cache
def _template() -> Template:
    return Template(Path(__file__).with_name("invitation.html").read_text(encoding="utf-8"))
