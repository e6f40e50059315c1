"""
What must hold of all that is stored of a tenant, whatever has crashed, failed or raced: one function a promise.

Each function lists what breaks its promise, as sentences, and nothing when it is kept. They read rows as they are in
the tables, by the key grammar written down once more here, so that a defect of the code that writes rows is not
repeated by the code that judges them.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.faults.snapshot import Columns, Json, Snapshot, content

type Promise = Callable[[Snapshot], Iterator[str]]

TOP_ROLE = {"integrate": "administrator", "integrate-classic": "administrator", "assist": "administrator"}
OWNER = "owner"
_OF_A_PROJECT = ("project!", "projects!", "in!")
_LASTING = ("audit!", "audit-of!", "outbox!", "operation!", "once!")


def each_row_has_its_owner(found: Snapshot) -> Iterator[str]:
    """No row is left of a member or project that is gone, but what is cleared away later and is no access."""
    known = {key for member in found.members.values() for key in _found_at(found, member)}
    for key, row in found.rows.items():
        place = key.split("!")[0] + "!"
        if key == "tenant" or place in (*_LASTING, *_OF_A_PROJECT) or key in known or _is_tombstone(place, row):
            continue
        yield f"{key} is nobody's"


def each_member_has_its_rows(found: Snapshot) -> Iterator[str]:
    """A member is found by all that leads to it, what it may do is said, once each, and each copy tells the same."""
    for member in found.members.values():
        for wanted in _places(member):
            there = [key for key in _at(found, wanted) if key in found.rows]
            if len(there) != 1:
                yield f"{member['id']} has {len(there)} rows {wanted}"
            for key in (each for each in there if "d" in found.rows[each]):
                copy = content(found.rows[key])
                brief = key.split("!")[0] in {"list", "mail", "role", "failed", "miss"}
                if copy != (dict(member) | {"projects": {}} if brief else member):
                    yield f"{key} tells something else than the member"


def who_is_in_a_project_is_in_its_list(found: Snapshot) -> Iterator[str]:
    """The rows of a project are those of its members, with their roles; others wait for a long removal."""
    stored: dict[tuple[str, str], list[str]] = {}
    for key, _ in found.under("in!"):
        _, project, _, member, said = key.split("!")
        stored.setdefault((project, member), []).append(said)
    held = {
        (project, member["id"]): ["+".join(sorted(place["roles"]))]
        for member in found.members.values()
        for project, place in member["projects"].items()
        if project in found.projects
    }
    for place, roles in held.items():
        if stored.get(place) != roles:
            yield f"{place} holds {roles}, the rows say {stored.get(place)}"
    clearing = [each for each in found.operations.values() if each["state"] == "running"]
    for project, member in stored.keys() - held.keys():
        if not any(_clears(operation, project, member) for operation in clearing):
            yield f"in!{project}!…!{member} is left over, and nothing clears it away"


def nobody_is_in_a_project_that_is_gone(found: Snapshot) -> Iterator[str]:
    """Who was in a deleted project loses it, at the latest when the removal has ended."""
    running = {each.get("project") for each in found.operations.values() if each["state"] == "running"}
    for member in found.members.values():
        for project in member["projects"].keys() - found.projects.keys() - running:
            yield f"{member['id']} is still in the deleted project {project}"


def both_rows_of_a_project_are_there(found: Snapshot) -> Iterator[str]:
    """A project is found by id and in the list, and both rows tell the same."""
    listed = {key.rpartition("!")[2]: content(row) for key, row in found.under("projects!")}
    if listed != found.projects:
        yield f"projects {sorted(found.projects)} are listed as {sorted(listed)}, or otherwise"


def administrators_are_counted(found: Snapshot) -> Iterator[str]:
    """The count that protects the last administrator is that of active people with the top role."""
    tenant = found.tenant
    if tenant is None:
        return
    top = TOP_ROLE[tenant["product"]]
    true = sum(
        member["kind"] == "user" and member["status"] == "active" and top in member["roles"]
        for member in found.members.values()
    )
    told = found.rows["tenant"]["administrators"]
    if told != true:
        yield f"{told} administrators are counted, {true} are there"


def owners_are_counted(found: Snapshot) -> Iterator[str]:
    """The count that shows projects without an owner is that of its owners."""
    true = Counter(
        project
        for member in found.members.values()
        for project, place in member["projects"].items()
        if OWNER in place["roles"]
    )
    leaving = [each for each in found.operations.values() if each["state"] == "running"]
    for id_, project in found.projects.items():
        later = sum(id_ in each["owned"] for each in leaving)
        if project["owners"] != true[id_] + later:
            yield f"{project['owners']} owners of {id_} are counted, {true[id_]} are there"


def people_can_be_found_when_they_sign_in(found: Snapshot) -> Iterator[str]:
    """Each address and each identity of a member has its line in the index of people."""
    for member in found.members.values():
        for name in _hashes(member):
            if found.lines is not None and name not in found.lines:
                yield f"no line leads a sign-in to {member['id']}"


def keys_have_a_secret_or_are_gone(found: Snapshot) -> Iterator[str]:
    """An API key is wholly there, with a secret and on the page of keys, or only its id is left."""
    for member in found.members.values():
        if member["kind"] == "apiKey" and not member.get("key", {}).get("secrets"):
            yield f"the key {member['id']} has no secret"


def what_was_done_is_recorded_twice(found: Snapshot) -> Iterator[str]:
    """Each record is in the audit of the tenant and in that of whom it is about."""
    whole = Counter(record["id"] for record in found.records)
    about = Counter(record["id"] for _, row in found.under("audit-of!") for record in content(row))
    if whole != about or any(count != 1 for count in whole.values()):
        yield f"records differ: {sorted((whole - about) + (about - whole))[:3]}"


def open_work_has_a_reason(found: Snapshot) -> Iterator[str]:
    """Work that waits is a mail or a long removal that is there."""
    for name, work in found.work.items():
        operation = work.get("operation")
        if operation is not None and found.operations.get(operation, {}).get("state") != "running":
            yield f"the work {name} is for an operation that is not running"
        if operation is None and not work["letters"]:
            yield f"the work {name} asks for nothing"


def a_long_removal_has_its_work(found: Snapshot) -> Iterator[str]:
    """What is not cleared away yet is on somebody's list, and has ended once when it is."""
    asked = {work.get("operation") for work in found.work.values() if not work.get("failed")}
    ended = Counter(each["target"]["id"] for each in found.records if each["action"] == "operation.finished")
    for id_, operation in found.operations.items():
        if operation["state"] == "running" and id_ not in asked:
            yield f"nobody carries on {id_}"
        if operation["state"] == "done" and ended[id_] != 1:
            yield f"{id_} has ended {ended[id_]} times"


def whoever_waits_for_a_mail_gets_it(found: Snapshot) -> Iterator[str]:
    """An invitation whose mail is queued has work that will send it."""
    letters = {
        (letter["member"], letter["round"])
        for work in found.work.values()
        if not work.get("failed")
        for letter in work["letters"]
    }
    for member in found.members.values():
        invitation = member.get("invitation") or {}
        if invitation.get("delivery") == "queued" and (member["id"], invitation["round"]) not in letters:
            yield f"the mail to {member['id']} is queued, and no work sends it"


ALWAYS: tuple[Promise, ...] = (
    each_row_has_its_owner,
    each_member_has_its_rows,
    who_is_in_a_project_is_in_its_list,
    nobody_is_in_a_project_that_is_gone,
    both_rows_of_a_project_are_there,
    administrators_are_counted,
    owners_are_counted,
    people_can_be_found_when_they_sign_in,
    keys_have_a_secret_or_are_gone,
    what_was_done_is_recorded_twice,
    open_work_has_a_reason,
    a_long_removal_has_its_work,
    whoever_waits_for_a_mail_gets_it,
)
"""What holds at every moment."""


def all_work_is_done(found: Snapshot) -> Iterator[str]:
    """Nothing waits any more."""
    yield from (f"the work {name} waits" for name in found.work)


def all_operations_have_ended(found: Snapshot) -> Iterator[str]:
    """Each long removal has come to its end."""
    yield from (f"{id_} is {each['state']}" for id_, each in found.operations.items() if each["state"] != "done")


def everybody_invited_was_mailed(found: Snapshot) -> Iterator[str]:
    """Whoever is still invited was sent the mail, or it says why not."""
    for member in found.members.values():
        invitation = member.get("invitation") or {}
        told = invitation.get("delivery") in {"sent", "delivered"} or bool(invitation.get("reason"))
        if member["status"] == "invited" and not told:
            yield f"{member['id']} was invited, and the mail is {invitation.get('delivery')}"


FINALLY: tuple[Promise, ...] = (all_work_is_done, all_operations_have_ended, everybody_invited_was_mailed)
"""What holds as soon as all is calm again."""


def broken(found: Snapshot, promises: tuple[Promise, ...] = ALWAYS) -> list[str]:
    """List which promises are not kept, and why; a tenant that is not there, or is going, has promised nothing."""
    if found.tenant is None:
        return []
    return [f"{promise.__name__}: {why}" for promise in promises for why in promise(found)]


def _places(member: Json) -> Iterator[str]:
    """Name the places where a member is found; a name in a key is not spelt out."""
    yield f"member!{member['id']}"
    yield from (f"key!{name}" for name in _hashes(member))
    if member["groups"]:
        yield f"groups!{member['id']}!{_hash(' '.join(sorted(member['groups'])))}"
    if member["kind"] == "apiKey":
        yield f"apikey!…!{member['id']}"
        if not member["roles"]:
            yield f"roleless!{member['id']}"
        if not member["roles"] and not member["projects"]:
            return
    yield f"list!{member['status']}!…!{member['id']}"
    yield from (f"role!{role}!…!{member['id']}" for role in member["roles"])
    if member.get("email") and member.get("name"):
        yield f"mail!…!{member['id']}"
    if (member.get("invitation") or {}).get("delivery") == "failed":
        yield f"failed!…!{member['id']}"
    if member.get("misses"):
        yield f"miss!…!{member['id']}"


def _at(found: Snapshot, place: str) -> list[str]:
    """Find the rows at a place."""
    before, middle, after = place.partition("…")
    if not middle:
        return [place]
    return [key for key, _ in found.under(before) if key.endswith(after) and key.count("!") == place.count("!")]


def _found_at(found: Snapshot, member: Json) -> Iterator[str]:
    return (key for place in _places(member) for key in _at(found, place))


def _hashes(member: Json) -> Iterator[str]:
    """Name the address and the identity of a member as keys and the index of people do."""
    if member.get("email") and member["kind"] == "user":
        yield _hash(f"address\n{member['email']}")
    if identity := member.get("identity"):
        yield _hash(f"identity\n{identity['directory']}\n{identity['subject']}")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _is_tombstone(place: str, row: Columns) -> bool:
    """Tell what an address or a deleted key leaves behind."""
    kept = {name for name in row if name not in {"PartitionKey", "RowKey", "Timestamp"} and "odata" not in name}
    return (place == "key!" and kept == {"mailed"}) or (place == "member!" and kept == {"deleted"})


def _clears(operation: Mapping[str, Any], project: str, member: str) -> bool:
    places = (place.split("!") for place in operation.get("places", ()))
    of_member = any((of, who) == (project, member) for _, of, _, who, _ in places)
    return of_member or operation.get("project") == project
