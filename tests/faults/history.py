"""What was asked and answered, and whether that is true of what is stored."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.faults.cast import Scene
from tests.faults.operations import Operation
from tests.faults.snapshot import Snapshot
from tests.faults.world import Answered, Asked


@dataclass
class Deed:
    """One thing that was asked, in a tenant of its own; `again` is the answer to the same request, sent once more."""

    operation: Operation
    scene: Scene
    asked: Asked
    answer: Answered = field(default_factory=lambda: Answered(None))
    again: Answered | None = None

    @property
    def kind(self) -> str:
        """Tell in a word how it was answered."""
        return "yes" if self.answer.is_yes else "no" if self.answer.is_no else "unanswered"


def untrue(deed: Deed, found: Snapshot) -> Iterator[str]:
    """
    List what is not as it was answered.

    What was answered with 2xx is there. What was refused is not. What was not answered, or with a failure, is there
    wholly or not at all. And whatever is there was recorded once.
    """
    operation, pieces = deed.operation, list(deed.operation.done(deed.scene, found))
    said = [each.status for each in (deed.answer, deed.again) if each]
    if any(each.is_yes for each in (deed.answer, deed.again) if each) and not all(pieces):
        yield f"{operation.name} was answered {said}, and is not there"
    if deed.answer.is_no and any(pieces):
        yield f"{operation.name} was refused with {said}, and is there"
    if deed.again and deed.again.is_no:
        yield f"{operation.name} was asked again, and answered {said}: {deed.again.body}"
    if operation.whole and len(set(pieces)) > 1:
        yield f"{operation.name} was done by half"
    if operation.record and found.tenant and found.recorded(operation.record) != sum(pieces):
        yield f"{operation.name} is there {sum(pieces)} times, recorded {found.recorded(operation.record)} times"


def unmailed(found: Snapshot, mails: Mapping[str, int]) -> Iterator[str]:
    """List who was invited and still is, and has no mail."""
    invited = {
        each["target"]["id"] for each in found.records if each["action"] in {"member.invited", "invitation.resent"}
    }
    for id_, member in found.members.items():
        failed = (member.get("invitation") or {}).get("delivery") == "failed"
        if id_ in invited and member["status"] == "invited" and not failed and not mails.get(member["email"]):
            yield f"{member['email']} was invited and never mailed"
