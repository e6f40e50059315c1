/** Who a directory knows: the people of `people.json`, and those made up on its sign-in page. */

import { readFileSync } from "node:fs";

import { objectId } from "./object_ids.mjs";

const KNOWN = JSON.parse(readFileSync(new URL("people.json", import.meta.url), "utf8"));

const ADDRESS = /^[^\s@]+@[^\s@]+$/;

/** A person could not be made up; the message is for the one who typed. */
export class NotAPerson extends Error {}

export class People {
  #directory;
  #byObjectId;

  constructor(directory) {
    this.#directory = directory;
    this.known = KNOWN[directory.name];
    this.#byObjectId = new Map(this.known.map((person) => [person.claims.oid, person]));
  }

  /** The known person that `people.json` calls `id`. */
  named(id) {
    return this.known.find((person) => person.id === id);
  }

  /** The person with this object id, known or made up since the start. */
  withObjectId(oid) {
    return this.#byObjectId.get(oid);
  }

  /**
   * Make somebody up: a member when the address is in the directory's own domain, else a guest.
   *
   * The same address is the same person for ever, also after a restart. `verified` is the directory's word for a
   * guest's address.
   */
  makeUp({ name, address, verified }) {
    if (!name || name.length > 100) throw new NotAPerson("Type a name of at most 100 characters.");
    if (!ADDRESS.test(address) || address.length > 254) throw new NotAPerson("Type an address like eve@example.test.");

    const known = this.known.find(({ claims }) => claims.preferred_username === address.toLowerCase());
    if (known) return known;

    const person = { claims: madeUpClaims(this.#directory, name, address, verified) };
    this.#byObjectId.set(person.claims.oid, person);
    return person;
  }
}

function madeUpClaims(directory, name, address, verified) {
  const common = { oid: objectId(directory, address), name, preferred_username: address, email: address };
  const edov = verified ? { xms_edov: true } : {};
  if (!address.toLowerCase().endsWith(`@${directory.domain}`)) return { ...common, ...edov, acct: 1 };
  return { ...common, ...edov, upn: address, acct: 0 };
}
