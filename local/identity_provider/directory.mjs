/** One directory: an issuer with its own people and keys. */

import { randomBytes } from "node:crypto";

// The library's own store for development. Handing it over keeps sessions and codes alive when the keys rotate.
import { createMemoryAdapter } from "oidc-provider/lib/adapters/memory_adapter.js";

import { KeyRing } from "./key_ring.mjs";
import { People } from "./people.mjs";
import { buildProvider } from "./provider.mjs";

export class Directory {
  #ring;
  #store = createMemoryAdapter();

  constructor(registration, { origin, ring, hooks }) {
    Object.assign(this, registration);
    this.hooks = hooks;
    this.path = `/${this.name}`;
    this.issuer = `${origin}${this.path}`;
    this.people = new People(this);
    this.cookieKey = randomBytes(32).toString("base64url");
    this.#ring = ring;
    this.#publish();
  }

  static async open(registration, { origin, folder, hooks }) {
    return new Directory(registration, { origin, hooks, ring: await KeyRing.open(registration.name, folder) });
  }

  get signingKey() {
    return this.#ring.current;
  }

  /** The ids of the published keys; the first one signs. */
  get keyIds() {
    return this.#ring.keys.map(({ kid }) => kid);
  }

  async rotateKeys(options) {
    await this.#ring.rotate(options);
    this.#publish();
  }

  /** A provider reads its keys once, so new keys need a new provider. */
  #publish() {
    this.provider = buildProvider(this, { keys: this.#ring.keys, store: this.#store });
    this.answer = this.provider.callback();
  }
}
