/** The sign-in page at work: a person is picked or made up, and the directory takes it from there. */

import { errors } from "oidc-provider";

import { readText, sendPage } from "./http.mjs";
import { errorPage, signInPage } from "./pages.mjs";
import { NotAPerson } from "./people.mjs";
import { clientWithId } from "./registrations.mjs";

const ENDED = "This sign-in is over. Go back to the application and start again.";

export async function signIn(directory, request, response) {
  try {
    await converse(directory, request, response);
  } catch (error) {
    if (!(error instanceof errors.SessionNotFound)) throw error;
    sendPage(response, 400, errorPage(ENDED));
  }
}

async function converse(directory, request, response) {
  const interaction = await directory.provider.interactionDetails(request, response);
  if (interaction.prompt.name === "consent") return finish(directory, request, response, { consent: {} });
  if (request.method === "POST") return receive(directory, interaction, request, response);
  sendPage(response, 200, signInPage(directory, question(interaction)));
}

/** What the page shall ask: for which app, and who is expected. */
function question({ params }) {
  return { app: clientWithId(params.client_id).name, typed: { address: params.login_hint ?? "" } };
}

async function receive(directory, interaction, request, response) {
  const form = new URLSearchParams(await readText(request));
  if (form.has("cancel")) return finish(directory, request, response, { error: "access_denied" });

  try {
    const person = chosen(directory, form);
    const blocked = form.has("signUp") && (await directory.hooks.blockPage(directory, signUp(person, interaction, request)));
    if (blocked) return sendPage(response, 403, errorPage(blocked.message, blocked.title ?? "You cannot sign up"));
    const login = { accountId: person.claims.oid, remember: false };
    await finish(directory, request, response, { login, select_account: {} });
  } catch (error) {
    if (!(error instanceof NotAPerson)) throw error;
    const page = signInPage(directory, { ...question(interaction), typed: typed(form), problem: error.message });
    sendPage(response, 400, page);
  }
}

function chosen(directory, form) {
  return directory.people.named(form.get("person")) ?? directory.people.makeUp(typed(form));
}

function signUp({ claims }, { params }, { socket }) {
  return { claims, client: clientWithId(params.client_id), ip: socket.remoteAddress };
}

/** Who signs up has proven the address. */
function typed(form) {
  const text = (name) => (form.get(name) ?? "").trim();
  return { name: text("name"), address: text("address"), verified: form.has("verified") || form.has("signUp") };
}

function finish(directory, request, response, result) {
  return directory.provider.interactionFinished(request, response, result);
}
