/** Bodies in and answers out. */

const LARGEST_BODY = 64 * 1024; // bytes

/** The caller asked for something that cannot be; the message is one clear sentence for them. */
export class BadRequest extends Error {
  status = 400;
}

export async function readText(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > LARGEST_BODY) throw new BadRequest("The body is larger than 64 KiB.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The body as a JSON object. */
export async function readObject(request) {
  const body = parse(await readText(request));
  if (!isObject(body)) throw new BadRequest("The body must be a JSON object.");
  return body;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BadRequest("The body is not JSON.", { cause });
  }
}

export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function refuseUnknown(body, names) {
  const unknown = Object.keys(body).filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new BadRequest(`Unknown: ${unknown.join(", ")}. Known: ${names.join(", ")}.`);
}

export function sendJson(response, status, body, headers = {}) {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store", ...headers });
  response.end(JSON.stringify(body));
}

/** Pages load nothing but the one style sheet, run nothing, and send people on to loopback addresses only. */
const PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; " +
    "form-action 'self' http://127.0.0.1:* http://localhost:*",
};

export function sendPage(response, status, page) {
  response.writeHead(status, PAGE_HEADERS);
  response.end(String(page));
}

/** The same for the pages that the OpenID Connect library asks for; the status is the library's. */
export function showPage(context, page) {
  context.set(PAGE_HEADERS);
  context.body = String(page);
}
