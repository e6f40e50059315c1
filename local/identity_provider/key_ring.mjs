/** The signing keys of one directory: the newest signs, all are published. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";

/** Readers of a key set may stop at 32. */
const MOST_KEYS = 8;

export class KeyRing {
  #keys;
  #file;

  constructor(keys, file) {
    this.#keys = keys;
    this.#file = file;
  }

  /** Open the ring of the directory called `name`; without a data folder it lives in memory only. */
  static async open(name, folder) {
    const file = folder && join(folder, `${name}.keys.json`);
    if (file && existsSync(file)) return new KeyRing(JSON.parse(readFileSync(file, "utf8")), file);
    const ring = new KeyRing([], file);
    await ring.rotate();
    return ring;
  }

  /** Private JSON Web Keys, newest first. */
  get keys() {
    return this.#keys;
  }

  get current() {
    return this.#keys[0];
  }

  /** Sign with a new key from now on; the old ones stay published unless they shall be dropped. */
  async rotate({ drop = false } = {}) {
    const key = await newKey();
    this.#keys = [key, ...(drop ? [] : this.#keys)].slice(0, MOST_KEYS);
    this.#save();
  }

  #save() {
    if (!this.#file) return;
    mkdirSync(join(this.#file, ".."), { recursive: true });
    writeFileSync(this.#file, JSON.stringify(this.#keys), { mode: 0o600 });
  }
}

async function newKey() {
  const { privateKey } = await generateKeyPair("RS256", { modulusLength: 2048, extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), use: "sig", alg: "RS256" };
}
