/**
 * The local identity provider, a program: `node server.mjs --port 7080 [--data FOLDER] [--api URL]`.
 *
 * It listens on loopback only and says one line when it is ready. Keys are kept in FOLDER, else they are new with every
 * start. The hooks of the API at URL are called at sign-ins, else nobody is asked. Exit code 2: wrong arguments, or the
 * port is taken.
 */

import { once } from "node:events";
import { createServer } from "node:http";
import { parseArgs } from "node:util";

import { Behaviour } from "./behaviour.mjs";
import { Directory } from "./directory.mjs";
import { Hooks } from "./hooks.mjs";
import { DIRECTORIES } from "./registrations.mjs";
import { site } from "./site.mjs";

const HOST = "127.0.0.1";

function giveUp(sentence) {
  console.error(sentence);
  process.exit(2);
}

function readArguments() {
  try {
    const options = { port: { type: "string", default: "7080" }, data: { type: "string" }, api: { type: "string" } };
    const { port, data, api } = parseArgs({ options }).values;
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) throw new Error(`${port} is not a port.`);
    if (api !== undefined && !URL.canParse(api)) throw new Error(`${api} is not an address.`);
    return { port: Number(port), data, api };
  } catch (error) {
    return giveUp(error.message);
  }
}

/** Listening comes first: the issuers' names contain the port, which may be left to the system (0). */
async function listen(port) {
  const server = createServer();
  try {
    await once(server.listen(port, HOST), "listening");
  } catch (error) {
    if (error.code !== "EADDRINUSE") throw error;
    giveUp(`Port ${port} is taken: stop what listens there, or choose another one with --port.`);
  }
  return server;
}

async function openSite(origin, { data, api }) {
  const hooks = new Hooks(api);
  const open = (registration) => Directory.open(registration, { origin, folder: data, hooks });
  const directories = await Promise.all(DIRECTORIES.map(open));
  return site({ directories, behaviour: new Behaviour(), origin });
}

async function main() {
  const { port, ...options } = readArguments();
  for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));

  const server = await listen(port);
  const origin = `http://${HOST}:${server.address().port}`;
  const opening = openSite(origin, options);
  server.on("request", async (request, response) => (await opening)(request, response));
  await opening;
  console.log(`Identity provider ready: ${origin}`);
}

await main();
