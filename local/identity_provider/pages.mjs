/** The pages that people see: plain HTML that works offline, without scripts, and for everybody. */

import { html, Markup } from "./html.mjs";
import { ENTRA_EXTENSIONS, HOOKS } from "./registrations.mjs";

const LOGO = html`<svg class="logo" viewBox="0 0 40 40" aria-hidden="true">
  <path d="M6 13h28M6 20h28M6 27h28" />
  <path d="M13 6v28M20 6v28M27 6v28" />
</svg>`;

function page(title, body, { wide = false } = {}) {
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${title}</title>
  <link rel="stylesheet" href="/style.css">
</head>
<body>
  <main${wide && html` class="wide"`}>
    <p class="brand">${LOGO}<span>Loome</span><span class="tag">local</span></p>
    ${body}
  </main>
</body>
</html>
`;
}

/** Where one picks who to be; `typed` is what was typed before, `problem` what was wrong with it. */
export function signInPage(directory, { app, typed, problem }) {
  const expected = directory.people.known.some(({ claims }) => claims.preferred_username === typed.address);
  const unfold = problem !== undefined || (typed.address !== "" && !expected);
  return page(
    `Sign in to ${app}`,
    html`
    <h1>Who are you today?</h1>
    <p class="lead">Sign in to <strong>${app}</strong> with a made-up account of <strong>${directory.title}</strong>.</p>
    <form method="post">
      <ul class="people">${directory.people.known.map(personButton)}</ul>
    </form>
    ${somebodyElse(directory, { typed, problem, unfold })}
    <form method="post" class="quiet"><button name="cancel" value="yes" class="link">Cancel and go back</button></form>`,
  );
}

function personButton({ id, about, claims }) {
  return html`
        <li><button class="person" name="person" value="${id}">
          <span class="avatar" aria-hidden="true">${initials(claims.name)}</span>
          <span class="who"><strong>${claims.name}</strong> <span>${claims.preferred_username}</span></span>
          <span class="about">${about}</span>
        </button></li>`;
}

function initials(name) {
  return name.split(" ").map((word) => word[0]).join("");
}

function somebodyElse(directory, { typed, problem, unfold }) {
  return html`<details${unfold && html` open`}>
      <summary>Somebody else</summary>
      <form method="post" class="fields">
        ${problem && html`<p class="problem" role="alert">${problem}</p>`}
        <label>Name <input name="name" value="${typed.name}" required maxlength="100" autocomplete="off"></label>
        <label>E-mail address
          <input name="address" value="${typed.address}" type="email" required maxlength="254" autocomplete="off"
            aria-describedby="address-hint"></label>
        <p id="address-hint" class="hint">In ${directory.domain} it is a member of ${directory.title}, elsewhere a guest.</p>
        <label class="check"><input type="checkbox" name="verified"${typed.verified && html` checked`}>
          <span>${directory.title} has verified the address <span class="hint">(<code>xms_edov</code>)</span></span></label>
        <p class="buttons">
          <button class="primary">Sign in</button>
          ${directory.hooks.on && html`<button class="link" name="signUp" value="yes">Sign up first</button>`}
        </p>
        ${directory.hooks.on && html`<p class="hint">Signing up proves the address. The API is asked first, and may say no.</p>`}
      </form>
    </details>`;
}

export function errorPage(message, title = "This did not work") {
  return page(
    title,
    html`<h1>${title}</h1>
    <p class="lead" role="alert">${message}</p>`,
  );
}

/** `form` is the library's own, with the id that the buttons name. */
export function signOutPage(form) {
  return page(
    "Sign out",
    html`<h1>Sign out?</h1>
    <p class="lead">You can sign in again as anybody.</p>
    ${new Markup(form)}
    <p class="buttons">
      <button class="primary" form="op.logoutForm" name="logout" value="yes">Sign out</button>
      <button class="link" form="op.logoutForm">Stay signed in</button>
    </p>`,
  );
}

export function signedOutPage() {
  return page(
    "Signed out",
    html`<h1>Signed out</h1>
    <p class="lead">You may close this page.</p>`,
  );
}

/** What is here, for a developer who looks. */
export function indexPage(directories, origin) {
  return page(
    "The local identity provider",
    html`
    <h1>The local identity provider</h1>
    <p class="lead">Two made-up directories that issue access tokens as Microsoft Entra would. Nothing here is secret, and
      nothing leaves this machine.</p>
    ${directories.map(directorySection)}
    <section>
      <h2>A token without a browser</h2>
      <p>A known person, or any claims at all: those given win, and <code>null</code> takes one away.</p>
      <pre tabindex="0"><code>${examples(origin)}</code></pre>
    </section>`,
    { wide: true },
  );
}

function directorySection(directory) {
  return html`<section>
      <h2>${directory.title}</h2>
      <p><a href="${directory.path}/.well-known/openid-configuration">${directory.issuer}</a><br>
        <span class="hint">tid ${directory.tid}</span></p>
      <div class="scroll" tabindex="0" role="region" aria-label="People of ${directory.title}"><table>
        <thead><tr>${["person", "name", "user name", "email", "oid"].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
        <tbody>${directory.people.known.map(personRow)}</tbody>
      </table></div>
    </section>`;
}

function personRow({ id, about, claims }) {
  return html`<tr><td><code>${id}</code></td><td>${claims.name}<br><span class="hint">${about}</span></td>
          <td>${claims.preferred_username}</td><td>${claims.email}</td><td><code>${claims.oid}</code></td></tr>`;
}

function examples(origin) {
  return `curl ${origin}/dev/token -d '{"directory": "contoso", "person": "ada"}'
curl ${origin}/dev/token -d '{"directory": "contoso", "claims": {"roles": ["Operator"]}}'
curl ${origin}/dev/token -d '{"directory": "fabrikam", "claims": {"email": "eve@example.test"}}'

# as at a sign-in, the API is asked first and adds claims; and the token with which Entra itself asks it
curl ${origin}/dev/token -d '{"person": "ada", "hook": true}'
curl ${origin}/dev/token -d '{"appOnly": true, "claims": {"aud": "${HOOKS}", "azp": "${ENTRA_EXTENSIONS}"}}'

# new keys (add "drop": true to forget the old ones); an outage: ok, throttle, error, reject or hang
curl -X PUT ${origin}/dev/keys -d '{"rotate": true}'
curl -X PUT ${origin}/behaviour -d '{"mode": "throttle", "count": 3}'`;
}
