/** Outages to order: what metadata, key sets and token endpoints answer while `PUT /behaviour` says so. */

import { BadRequest, refuseUnknown, sendJson } from "./http.mjs";
import { ROUTES } from "./provider.mjs";

const AFFECTED = ["/.well-known/", ROUTES.jwks, ROUTES.token];
const HANGS_FOR = 60_000; // milliseconds: longer than any client waits, and then the socket is given back

const MODES = {
  ok: undefined,
  throttle: (response) => fail(response, 429, "temporarily_unavailable", { "retry-after": "2" }),
  error: (response) => fail(response, 500, "server_error"),
  reject: (response) => fail(response, 400, "invalid_request"),
  hang: (response) => setTimeout(() => response.destroy(), HANGS_FOR).unref(),
};

export class Behaviour {
  #mode = "ok";
  #count = null;

  /** Order a mode for the next `count` requests, or until the next order. */
  order(wish) {
    refuseUnknown(wish, ["mode", "count"]);
    const { mode, count = null } = wish;
    if (!Object.hasOwn(MODES, mode)) throw new BadRequest(`"mode" must be one of ${Object.keys(MODES).join(", ")}.`);
    const countable = count === null || (Number.isInteger(count) && count > 0);
    if (!countable) throw new BadRequest('"count" must be a whole number above 0, or left out.');

    this.#mode = mode;
    this.#count = count;
    return { mode, count };
  }

  /** Answer in the directory's place when the ordered mode says so; tell whether that was done. */
  interferes(request, response, path) {
    const concerned = request.method !== "OPTIONS" && AFFECTED.some((affected) => path.toLowerCase().startsWith(affected));
    if (!concerned || this.#mode === "ok") return false;

    MODES[this.#mode](response);
    if (this.#count !== null) this.#countDown();
    return true;
  }

  #countDown() {
    this.#count -= 1;
    if (this.#count > 0) return;
    this.#mode = "ok";
    this.#count = null;
  }
}

/** Browsers hide an answer without CORS headers from the app that shall learn to live with it. */
function fail(response, status, error, headers = {}) {
  const body = { error, error_description: "Ordered with PUT /behaviour." };
  sendJson(response, status, body, { "access-control-allow-origin": "*", "access-control-expose-headers": "retry-after", ...headers });
}
