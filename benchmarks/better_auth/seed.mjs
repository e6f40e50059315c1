/**
 * Make the schema, and an organization with an owner, administrators, members and people to be invited.
 *
 * People are inserted with SQL, as hashing thousands of passwords would only cost time. Their sessions are genuine: the
 * cookie of the one person who signs up is compared with how we sign. Prints JSON.
 */

import { createHmac, randomUUID } from "node:crypto";

import { getMigrations } from "better-auth/db/migration";

import { auth, pool } from "./auth.mjs";

const [members, administrators, invitees] = process.argv.slice(2).map(Number);
const context = await auth.$context;
const sign = (token) =>
  encodeURIComponent(`${token}.${createHmac("sha256", context.secret).update(token).digest("base64")}`);

/** Insert rows, a few hundred at a time. */
async function insert(into, rows) {
  for (let from = 0; from < rows.length; from += 500) {
    const some = rows.slice(from, from + 500);
    const width = some[0].length;
    const places = some.map((row, i) => `(${row.map((_, j) => `$${i * width + j + 1}`).join(",")})`);
    await pool.query(`insert into ${into} values ${places.join(",")}`, some.flat());
  }
}

function people(kind, count) {
  return Array.from({ length: count }, (_, i) => ({
    id: randomUUID(),
    member: randomUUID(),
    token: randomUUID(),
    email: `${kind}${i}@contoso.test`,
  }));
}

const { runMigrations } = await getMigrations(auth.options);
await runMigrations();

const owner = { email: "owner@contoso.test", password: "correct horse battery", name: "Owner" };
const signedUp = await auth.api.signUpEmail({ body: owner, returnHeaders: true });
const ownerCookie = signedUp.headers.get("set-cookie").split(";")[0];
const [cookieName] = ownerCookie.split("=");
const cookie = (token) => `${cookieName}=${sign(token)}`;
if (ownerCookie !== cookie(signedUp.response.token)) throw new Error("better-auth signs its cookies in another way");
const organization = await auth.api.createOrganization({
  body: { name: "Acme", slug: "acme" },
  headers: new Headers({ cookie: ownerCookie }),
});

const now = new Date();
const later = new Date(Date.now() + 7 * 86_400_000);
const admins = people("admin", administrators);
const users = people("member", members - administrators - 1);
const guests = people("guest", invitees);
const everybody = [...admins, ...users, ...guests];
await insert(
  '"user"(id, name, email, "emailVerified", "createdAt", "updatedAt")',
  everybody.map(({ id, email }) => [id, email, email, true, now, now]),
);
await insert(
  'session(id, "expiresAt", token, "createdAt", "updatedAt", "userId")',
  everybody.map(({ id, token }) => [randomUUID(), later, token, now, now, id]),
);
await insert(
  'member(id, "organizationId", "userId", role, "createdAt")',
  [...admins.map((each) => [each, "admin"]), ...users.map((each) => [each, "member"])].map(([each, role]) => [
    each.member,
    organization.id,
    each.id,
    role,
    now,
  ]),
);
await pool.query("analyze");
await pool.end();

console.log(
  JSON.stringify({
    organization: organization.id,
    owner: ownerCookie,
    administrators: admins.map(({ token }) => cookie(token)),
    members: users.map(({ member }) => member),
    invitees: guests.map(({ email, token }) => ({ email, cookie: cookie(token) })),
  }),
);
