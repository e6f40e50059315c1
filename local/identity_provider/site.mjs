/** Which address answers what. */

import { readFileSync } from "node:fs";

import { issueToken, rotateKeys } from "./developer.mjs";
import { BadRequest, readObject, sendJson, sendPage } from "./http.mjs";
import { indexPage } from "./pages.mjs";
import { signIn } from "./sign_in.mjs";

const STYLE = readFileSync(new URL("style.css", import.meta.url));

/** A request listener for all directories together. */
export function site({ directories, behaviour, origin }) {
  const routes = {
    "GET /": (_, response) => sendPage(response, 200, indexPage(directories, origin)),
    "GET /style.css": (_, response) => response.writeHead(200, { "content-type": "text/css" }).end(STYLE),
    "POST /dev/token": json((body, ip) => issueToken(directories, body, ip)),
    "PUT /dev/keys": json((body) => rotateKeys(directories, body)),
    "PUT /behaviour": json((body) => behaviour.order(body)),
  };
  return (request, response) => {
    const path = request.url.split("?", 1)[0];
    const route = routes[`${request.method} ${path}`] ?? directoryRoute(directories, behaviour, path);
    answer(route, request, response);
  };
}

function json(act) {
  return async (request, response) => {
    const body = await readObject(request);
    sendJson(response, 200, await act(body, request.socket.remoteAddress));
  };
}

async function answer(route, request, response) {
  try {
    await route(request, response);
  } catch (error) {
    if (!(error instanceof BadRequest)) console.error(error);
    sendJson(response, error.status ?? 500, { error: error.status ? error.message : "Something went wrong here." });
  }
}

function directoryRoute(directories, behaviour, path) {
  const directory = directories.find((each) => path.startsWith(`${each.path}/`));
  if (!directory) return notFound;

  const inside = path.slice(directory.path.length);
  if (inside.startsWith("/sign-in/")) return (request, response) => signIn(directory, request, response);
  return (request, response) => {
    if (behaviour.interferes(request, response, inside)) return undefined;
    return forward(directory, request, response);
  };
}

/** The provider believes to live at the root; `originalUrl` tells it where it really is. */
function forward(directory, request, response) {
  request.originalUrl = request.url;
  request.url = request.url.slice(directory.path.length);
  return directory.answer(request, response);
}

function notFound(_, response) {
  sendJson(response, 404, { error: "There is nothing here; GET / tells what there is." });
}
