/** better-auth behind Node's own HTTP server. */

import http from "node:http";

import { toNodeHandler } from "better-auth/node";

import { auth } from "./auth.mjs";

const port = Number(process.env.PORT);
const options = { keepAliveTimeout: 60_000 };
http.createServer(options, toNodeHandler(auth)).listen(port, "127.0.0.1", () => console.log("listening"));
