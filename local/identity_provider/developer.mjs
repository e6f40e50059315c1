/** What no real directory offers: tokens for the asking, and keys that rotate on command. */

import { BadRequest, isObject, refuseUnknown } from "./http.mjs";
import { clientWithId } from "./registrations.mjs";
import { appClaims, LIFETIME, personClaims, sign } from "./tokens.mjs";

/**
 * Issue a genuinely signed access token: `POST /dev/token`.
 *
 * `person` takes the claims of one of the directory's known people; `claims` win over everything, and null takes a
 * claim away. `hook` has the API asked first, as at a sign-in.
 */
export async function issueToken(directories, body, ip) {
  const { directory, claims, appOnly, hook } = understood(directories, body);
  const complete = appOnly ? appClaims(directory, claims) : personClaims(directory, claims);
  const client = clientWithId(complete.azp);
  const added = hook ? await directory.hooks.claims(directory, { claims: complete, client, ip }) : {};
  const token = await sign(withoutNulls({ ...added, ...complete }), directory.signingKey);
  return { access_token: token, token_type: "Bearer", expires_in: secondsLeft(complete) };
}

function understood(directories, body) {
  refuseUnknown(body, ["directory", "person", "claims", "appOnly", "hook"]);
  const { directory: name = "contoso", person, claims = {}, appOnly = false, hook = false } = body;
  const directory = directoryNamed(directories, name);
  if (!isObject(claims)) throw new BadRequest('"claims" must be an object.');
  if (typeof appOnly !== "boolean") throw new BadRequest('"appOnly" must be true or false.');
  if (typeof hook !== "boolean") throw new BadRequest('"hook" must be true or false.');
  if (appOnly && person !== undefined) throw new BadRequest('A token is either "appOnly" or for a "person".');
  if (appOnly && hook) throw new BadRequest('The hook is asked about people, and an "appOnly" token is for none.');
  if (hook && !directory.hooks.on) throw new BadRequest("There is no hook: start the identity provider with --api URL.");
  return { directory, claims: { ...(person === undefined ? {} : claimsOf(directory, person)), ...claims }, appOnly, hook };
}

/** Sign with new keys from now on, in one directory or in all: `PUT /dev/keys`. */
export async function rotateKeys(directories, body) {
  refuseUnknown(body, ["rotate", "drop", "directory"]);
  const { rotate, drop = false, directory: name } = body;
  if (rotate !== true) throw new BadRequest('"rotate" must be true.');
  if (typeof drop !== "boolean") throw new BadRequest('"drop" must be true or false.');

  const chosen = name === undefined ? directories : [directoryNamed(directories, name)];
  await Promise.all(chosen.map((directory) => directory.rotateKeys({ drop })));
  return Object.fromEntries(directories.map((directory) => [directory.name, directory.keyIds]));
}

function directoryNamed(directories, name) {
  const found = directories.find((directory) => directory.name === name);
  if (!found) throw new BadRequest(`"directory" must be one of ${directories.map((each) => each.name).join(", ")}.`);
  return found;
}

function claimsOf(directory, id) {
  const ids = directory.people.known.map((person) => person.id);
  if (!ids.includes(id)) throw new BadRequest(`"person" must be one of ${ids.join(", ")} in ${directory.name}.`);
  return directory.people.named(id).claims;
}

function withoutNulls(claims) {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null));
}

function secondsLeft({ exp }) {
  return Number.isFinite(exp) ? Math.max(0, Math.ceil(exp - Date.now() / 1000)) : LIFETIME;
}
