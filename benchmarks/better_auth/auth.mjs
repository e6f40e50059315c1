/** better-auth with its organization plugin on PostgreSQL, set up as its documentation says. */

import { betterAuth } from "better-auth";
import { organization } from "better-auth/plugins";
import pg from "pg";

export const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });

export const auth = betterAuth({
  database: pool,
  baseURL: `http://127.0.0.1:${process.env.PORT}`,
  secret: "a secret of the benchmarks and nothing else",
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false }, // ours counts requests all the same, but never gets to its limit
  telemetry: { enabled: false },
  logger: { level: "error" },
  plugins: [
    organization({
      membershipLimit: 1_000_000,
      invitationLimit: 1_000_000,
      organizationLimit: 1_000_000,
      sendInvitationEmail: async () => {}, // the app only notes that a mail is to be sent; this one need not even do that
    }),
  ],
});
