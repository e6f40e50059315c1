/** How a directory speaks OpenID Connect: oidc-provider, set up to behave like Microsoft Entra where the products can tell. */

import Provider, { errors, interactionPolicy } from "oidc-provider";

import { showPage } from "./http.mjs";
import { errorPage, signedOutPage, signOutPage } from "./pages.mjs";
import { API, API_RESOURCE, API_SCOPES, CLIENTS, clientWithId } from "./registrations.mjs";
import { LIFETIME, personClaims } from "./tokens.mjs";

/** Paths below the issuer, spelt as Entra does. */
export const ROUTES = {
  authorization: "/oauth2/v2.0/authorize",
  token: "/oauth2/v2.0/token",
  end_session: "/oauth2/v2.0/logout",
  jwks: "/discovery/v2.0/keys",
};

const LOOPBACK_HOSTS = ["127.0.0.1", "localhost"];
const DAY = 24 * 3600;

export function buildProvider(directory, { keys, store }) {
  const provider = new Provider(directory.issuer, {
    adapter: store,
    jwks: { keys },
    clients: CLIENTS.map(publicClient),
    clientAuthMethods: ["none"],
    clientBasedCORS: (_, origin) => isLoopback(origin),
    cookies: cookies(directory),
    routes: ROUTES,
    ...identity(directory),
    ...tokens(directory),
    features: features(),
    interactions: { policy: policy(), url: (_, { uid }) => `${directory.path}/sign-in/${uid}` },
    pkce: { required: () => true },
    renderError: (ctx, { error, error_description: detail }) => showPage(ctx, errorPage(detail ?? error)),
    responseTypes: ["code"],
  });
  provider.on("server_error", (_, error) => console.error(error));
  return provider;
}

/** Registered as a native app, a client may use loopback redirect addresses of any port. */
function publicClient({ id, name }) {
  return {
    client_id: id,
    client_name: name,
    application_type: "native",
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token"],
    redirect_uris: LOOPBACK_HOSTS.map((host) => `http://${host}/callback`),
    post_logout_redirect_uris: LOOPBACK_HOSTS.map((host) => `http://${host}/`),
  };
}

function identity(directory) {
  return {
    claims: {
      openid: ["sub", "oid", "tid", "ver"],
      profile: ["name", "preferred_username", "upn", "acct"],
      email: ["email", "xms_edov"],
    },
    conformIdTokenClaims: false, // Entra puts them in the ID token, too
    findAccount: (_, oid) => account(directory, oid),
    loadExistingGrant: consentForAll,
  };
}

function account(directory, oid) {
  const person = directory.people.withObjectId(oid);
  const claims = () => ({ ...person.claims, tid: directory.tid, ver: "2.0", sub: oid });
  return person && { accountId: oid, person, claims };
}

/** The clients are first-party: whatever they ask for is granted, and nobody is asked. */
async function consentForAll({ oidc }) {
  const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
  grant.addOIDCScope(oidc.requestParamOIDCScopes);
  grant.addResourceScope(API_RESOURCE, API_SCOPES);
  await grant.save();
  return grant;
}

function tokens(directory) {
  return {
    formats: { customizers: { jwt: (ctx, _, jwt) => asEntraWould(directory, ctx, jwt) } },
    issueRefreshToken: () => true,
    ttl: { AccessToken: LIFETIME, IdToken: LIFETIME, Interaction: 3600, Session: DAY, Grant: DAY, RefreshToken: DAY },
  };
}

async function asEntraWould(directory, { oidc, ip }, jwt) {
  const { authTime } = oidc.entities.AuthorizationCode ?? oidc.entities.RefreshToken;
  const claims = personClaims(directory, oidc.account.person.claims, { client: oidc.client.clientId });
  const added = await directory.hooks.claims(directory, { claims, client: clientWithId(claims.azp), ip });
  jwt.header = { typ: "JWT" };
  jwt.payload = { ...added, ...claims, auth_time: authTime };
}

function features() {
  return {
    devInteractions: { enabled: false },
    dPoP: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    userinfo: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => API_RESOURCE,
      useGrantedResource: () => true,
      getResourceServerInfo: api,
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => showPage(ctx, signOutPage(form)),
      postLogoutSuccessSource: (ctx) => showPage(ctx, signedOutPage()),
    },
  };
}

/** The one API that tokens are for, whether a client names it (`resource=api://…`) or nothing at all. */
function api(_, resource) {
  if (resource !== API_RESOURCE) throw new errors.InvalidTarget();
  return { audience: API, scope: API_SCOPES.join(" "), accessTokenFormat: "jwt", accessTokenTTL: LIFETIME };
}

/** Entra's `select_account` beside the standard prompts: the sign-in page is shown again. */
function policy() {
  const prompts = interactionPolicy.base();
  prompts.add(new interactionPolicy.Prompt({ name: "select_account", requestable: true }), 0);
  return prompts;
}

/** Two directories share a host, hence paths; browsers do not tell ports apart, hence names. */
function cookies({ path, cookieKey }) {
  const names = { session: "loome_idp_session", interaction: "loome_idp_sign_in", resume: "loome_idp_resume" };
  return { keys: [cookieKey], names, long: { path, httpOnly: true, sameSite: "lax" } };
}

function isLoopback(origin) {
  return LOOPBACK_HOSTS.includes(URL.parse(origin)?.hostname);
}
