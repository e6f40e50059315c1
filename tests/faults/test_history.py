"""Answers that are not true are noticed."""

import json
from typing import Any, cast

import pytest

from tests.faults.cast import Scene, email
from tests.faults.history import Deed, unmailed, untrue
from tests.faults.operations import OPERATIONS, crowd
from tests.faults.snapshot import Snapshot
from tests.faults.world import Answered, Asked
from tests.functions.live import Live

SCENE = Scene(cast(Live, None), "acme")  # nobody is asked for a token here
YES, NO, NOTHING = Answered(200), Answered(409), Answered(None)


def deed(name: str, answer: Answered, again: Answered | None = None) -> Deed:
    """Say that something was asked and answered."""
    operation = next(each for each in OPERATIONS if each.name == name)
    return Deed(operation, SCENE, Asked("POST", ""), answer, again)


def stored(*addresses: str, records: int, delivery: str = "sent") -> Snapshot:
    """Store people who were invited, and how many invitations were recorded."""
    people = {
        f"member!{at}": {
            "id": str(at),
            "kind": "user",
            "status": "invited",
            "email": address,
            "invitation": {"delivery": delivery},
        }
        for at, address in enumerate(addresses)
    }
    audit = [{"action": "member.invited", "target": {"id": str(at)}} for at in range(records)]
    found: dict[str, Any] = {"tenant": {"id": "acme"}, **people, "audit!1!1": audit}
    return Snapshot("acme!1", {key: {"d": json.dumps(content)} for key, content in found.items()}, None)


GUEST = email("acme", "guest")


@pytest.mark.parametrize(
    ("told", "there"),
    [
        (deed("invite", YES), stored(GUEST, records=1)),
        (deed("invite", NO), stored(records=0)),
        (deed("invite", NOTHING), stored(records=0)),
        (deed("invite", NOTHING), stored(GUEST, records=1)),
        (deed("invite", NOTHING, YES), stored(GUEST, records=1)),
        (deed("invite many", NOTHING), stored(*crowd(SCENE)[:15], records=15)),
    ],
)
def test_what_is_true_is_believed(told: Deed, there: Snapshot) -> None:
    """Done and said so; refused and not done; unanswered, and done wholly or not at all."""
    assert list(untrue(told, there)) == []


@pytest.mark.parametrize(
    ("told", "there"),
    [
        (deed("invite", YES), stored(records=0)),
        (deed("invite", NO), stored(GUEST, records=1)),
        (deed("invite", NOTHING, NO), stored(GUEST, records=1)),
        (deed("invite", NOTHING, YES), stored(records=0)),
        (deed("invite", YES), stored(GUEST, records=2)),
        (deed("invite", NOTHING), stored(GUEST, records=0)),
        (deed("invite many", YES), stored(*crowd(SCENE)[:15], records=15)),
    ],
)
def test_what_is_not_true_is_noticed(told: Deed, there: Snapshot) -> None:
    """Said and not done; refused and done; recorded otherwise than done."""
    assert list(untrue(told, there))


def test_a_mail_that_nobody_got_is_noticed() -> None:
    """Whoever is invited has it in the inbox, whatever the member says."""
    assert list(unmailed(stored(GUEST, records=1), {}))
    assert list(unmailed(stored(GUEST, records=1), {GUEST: 1})) == []
    assert list(unmailed(stored(GUEST, records=1, delivery="failed"), {})) == []
