/** Access tokens with the claims that Microsoft Entra's v2 tokens have. */

import { createHash, randomUUID } from "node:crypto";

import { CompactSign, importJWK } from "jose";

import { API, API_SCOPE, INTEGRATE } from "./registrations.mjs";

/** How long an access token is good for, in seconds. */
export const LIFETIME = 3600;

/** What every access token of the directory says, whoever it is for; times are seconds since 1970. */
function commonClaims(directory, { oid, client }) {
  const now = Math.floor(Date.now() / 1000);
  const about = { iss: directory.issuer, tid: directory.tid, aud: API, ver: "2.0", azp: client, oid };
  return { ...about, iat: now, nbf: now, exp: now + LIFETIME };
}

/** What a token for a person says; `claims` are the person's own and win. */
export function personClaims(directory, claims, { client = INTEGRATE } = {}) {
  const oid = claims.oid ?? randomUUID();
  return { ...commonClaims(directory, { oid, client }), sub: pairwise(oid), scp: API_SCOPE, ...claims };
}

/** What an app's token for itself says: no scope, and the subject is the app's service principal. */
export function appClaims(directory, claims, { client = INTEGRATE } = {}) {
  const oid = claims.oid ?? randomUUID();
  return { ...commonClaims(directory, { oid, client }), sub: oid, ...claims };
}

/** Sign whatever is asked, also what no directory would say: forgeries must be tried with genuine signatures. */
export async function sign(claims, jwk) {
  const payload = new TextEncoder().encode(JSON.stringify(claims));
  const header = { typ: "JWT", alg: "RS256", kid: jwk.kid };
  return new CompactSign(payload).setProtectedHeader(header).sign(await importJWK(jwk, "RS256"));
}

/** A person's subject differs from API to API, as Entra's does. */
function pairwise(oid) {
  return createHash("sha256").update(`${API}/${oid}`).digest("base64url");
}
