/** The part of Microsoft Entra that asks the API before a token is issued, and when somebody signs up. */

import { attributeCollectionSubmit, tokenIssuanceStart } from "./envelopes.mjs";
import { isObject } from "./http.mjs";
import { objectId } from "./object_ids.mjs";
import { ENTRA_EXTENSIONS, HOOKS, MAPPED_CLAIMS } from "./registrations.mjs";
import { appClaims, sign } from "./tokens.mjs";

const PATIENCE = 2_000; // milliseconds for each of the two tries
const MOST_CLAIMS = 3 * 1024; // bytes

/** The API gave no answer that counts; `again` tells whether a second try may help. */
class NoAnswer extends Error {
  constructor(message, { again = false, cause } = {}) {
    super(message, { cause });
    this.again = again;
  }
}

/**
 * The hooks of the API at an address like `http://127.0.0.1:7071/api`; without one, nobody is asked.
 *
 * Entra ends a sign-in whose hook fails. Here it goes on and the log tells why, so that people can work on one part of
 * the stack while another one is down.
 */
export class Hooks {
  #api;

  constructor(api) {
    this.#api = api;
  }

  get on() {
    return this.#api !== undefined;
  }

  /** The claims that the API adds to a token about to be issued: none when it has nothing sensible to say. */
  async claims(directory, signIn) {
    const answer = await this.#ask("token-issuance-start", directory, tokenIssuanceStart(directory, signIn), mappedClaims);
    return answer ?? {};
  }

  /** The page that stops a sign-up, with a message and perhaps a title; undefined when it may go on. */
  async blockPage(directory, signUp) {
    return this.#ask("attribute-collection-submit", directory, attributeCollectionSubmit(directory, signUp), blockPage);
  }

  async #ask(hook, directory, envelope, read) {
    if (!this.on) return undefined;
    const url = `${this.#api}/hooks/entra/${hook}`;
    try {
      return read(await insist(async () => post(url, envelope, await token(directory))));
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      console.error(`Signing in without the hook ${hook}: ${error.message}.`);
      return undefined;
    }
  }
}

/** Entra's own app calls, with a token that is for the hooks and no person's. */
function token(directory) {
  const claims = { aud: HOOKS, azp: ENTRA_EXTENSIONS, oid: objectId(directory, ENTRA_EXTENSIONS) };
  return sign(appClaims(directory, claims), directory.signingKey);
}

async function insist(attempt) {
  try {
    return await attempt();
  } catch (error) {
    if (!error.again) throw error;
    return attempt();
  }
}

async function post(url, envelope, bearer) {
  const headers = { authorization: `Bearer ${bearer}`, "content-type": "application/json" };
  const { status, text } = await exchange(url, { method: "POST", headers, body: JSON.stringify(envelope), redirect: "manual" });
  if (status !== 200) throw new NoAnswer(`the API answered ${status}`, { again: status >= 500 });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new NoAnswer("the API's answer is not JSON", { cause });
  }
}

async function exchange(url, request) {
  try {
    const response = await fetch(url, { ...request, signal: AbortSignal.timeout(PATIENCE) });
    return { status: response.status, text: await response.text() };
  } catch (cause) {
    const why = cause.name === "TimeoutError" ? `does not answer within ${PATIENCE} ms` : "cannot be reached";
    throw new NoAnswer(`the API ${why}`, { again: true, cause });
  }
}

/** The answer's only action, which must be one of those that the event knows: `microsoft.graph.{event}.{action}`. */
function onlyAction(answer, event, names) {
  const data = isObject(answer) ? answer.data : undefined;
  const [action, ...others] = Array.isArray(data?.actions) ? data.actions : [];
  const known = names.map((name) => `microsoft.graph.${event}.${name}`).includes(action?.["@odata.type"]);
  const kind = `microsoft.graph.on${event[0].toUpperCase()}${event.slice(1)}ResponseData`;
  if (data?.["@odata.type"] !== kind || !known || others.length > 0) throw new NoAnswer("the API's answer has another shape");
  return action;
}

function mappedClaims(answer) {
  const { claims } = onlyAction(answer, "tokenIssuanceStart", ["provideClaimsForToken"]);
  if (!isObject(claims) || !Object.values(claims).every(isClaim)) throw new NoAnswer("the API's claims are not all texts");
  if (Buffer.byteLength(JSON.stringify(claims)) > MOST_CLAIMS) throw new NoAnswer("the API's claims are larger than 3 KB");
  return Object.fromEntries(Object.entries(claims).filter(([name]) => MAPPED_CLAIMS.includes(name)));
}

function isClaim(value) {
  return isText(value) || (Array.isArray(value) && value.every(isText));
}

function isText(value) {
  return typeof value === "string";
}

function blockPage(answer) {
  const action = onlyAction(answer, "attributeCollectionSubmit", ["continueWithDefaultBehavior", "showBlockPage"]);
  if (!action["@odata.type"].endsWith("showBlockPage")) return undefined;
  if (!isText(action.message)) throw new NoAnswer("the API's block page has no message");
  return { message: action.message, title: isText(action.title) ? action.title : undefined };
}
