"""What an invitation says, in every language that we write: data, and the choice among it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Wording:
    """
    An invitation's sentences in one language.

    Placeholders: `{tenant}`, `{product}`, `{inviter}` (in `added_by` only) and `{address}`, the recipient's.
    """

    language: str
    direction: Literal["ltr", "rtl"]
    subject: str
    heading: str
    added: str
    added_by: str
    sign_in: str
    button: str
    nothing_to_confirm: str
    link_label: str
    unexpected: str
    footer: str
    nameless: str
    """Stands for a tenant whose name has nothing visible in it."""


ENGLISH = Wording(
    language="en",
    direction="ltr",
    subject="You have been added to {tenant} ({product})",
    heading="You have been added to {tenant}",
    added="You have been added to the tenant {tenant} ({product}).",
    added_by="{inviter} added you to the tenant {tenant} ({product}).",
    sign_in="Sign in with {address} and you are in.",
    button="Open {product}",
    nothing_to_confirm=(
        "There is nothing to accept or confirm, and this mail holds no code. Your access is waiting for you the next "
        "time you sign in, whichever way you get there: the link only saves you the typing."
    ),
    link_label="The address of your tenant:",
    unexpected="Not expecting this? You can leave this mail alone: nothing happens unless you sign in.",
    footer="{product} sent this to {address} because that address was added to the tenant.",
    nameless="a tenant without a name",
)

_WORDINGS = {wording.language: wording for wording in (ENGLISH,)}


def wording(locale: str) -> Wording:
    """Return the wording for a BCP 47 locale: by its language, English where we do not write that one."""
    language = locale.replace("_", "-").split("-")[0].lower()
    return _WORDINGS.get(language, ENGLISH)
