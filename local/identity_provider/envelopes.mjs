/** What Microsoft Entra tells custom authentication extensions about a sign-in or a sign-up, field by field. */

import { randomUUID } from "node:crypto";

import { objectId } from "./object_ids.mjs";
import { API, EXTENSION, LISTENER } from "./registrations.mjs";

const LOCALE = "en-au";
const SINCE = "2024-01-02T03:04:05Z";

/** Before a token is issued; `claims` are those of the token. */
export function tokenIssuanceStart(directory, { claims, client, ip }) {
  const context = { ...authenticationContext(directory, { client, ip }), user: user(directory, claims) };
  const data = { ...about(directory), authenticationContext: context };
  return envelope(directory, client, { event: "tokenIssuanceStart", data });
}

/** When somebody who signs up has filled in the form; `claims` are those that their tokens will have. */
export function attributeCollectionSubmit(directory, { claims, client, ip }) {
  const data = {
    ...about(directory),
    authenticationContext: authenticationContext(directory, { client, ip }),
    userSignUpInfo: { attributes: { displayName: builtIn(claims.name) }, identities: [localAccount(directory, claims.email)] },
  };
  return envelope(directory, client, { event: "attributeCollectionSubmit", data });
}

function envelope(directory, client, { event, data }) {
  const kind = `microsoft.graph.on${event[0].toUpperCase()}${event.slice(1)}CalloutData`;
  return {
    type: `microsoft.graph.authenticationEvent.${event}`,
    source: `/tenants/${directory.tid}/applications/${client.id}`,
    data: { "@odata.type": kind, ...data },
  };
}

function about({ tid }) {
  return { tenantId: tid, authenticationEventListenerId: LISTENER, customAuthenticationExtensionId: EXTENSION };
}

/** A retry repeats the whole envelope, so its `correlationId`, too. */
function authenticationContext(directory, { client, ip }) {
  return {
    correlationId: randomUUID(),
    client: { ip, locale: LOCALE, market: LOCALE },
    protocol: "OAUTH2.0",
    clientServicePrincipal: servicePrincipal(directory, client),
    resourceServicePrincipal: servicePrincipal(directory, { id: API, name: "Loome Members" }),
  };
}

function servicePrincipal(directory, { id, name }) {
  return { id: objectId(directory, id), appId: id, appDisplayName: name, displayName: name };
}

/** The account in the directory; what it does not have is left out, as Entra does. */
function user(directory, claims) {
  const [givenName, ...others] = String(claims.name ?? "").split(" ");
  const guest = claims.acct === 1;
  const known = {
    id: claims.oid,
    displayName: claims.name,
    givenName: givenName || undefined,
    surname: others.join(" ") || undefined,
    mail: claims.email,
    userPrincipalName: claims.upn ?? (guest ? invitedName(directory, claims) : claims.preferred_username),
    userType: guest ? "Guest" : "Member",
    createdDateTime: SINCE,
    preferredLanguage: LOCALE,
  };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined && value !== null));
}

/** The user name that a directory gives to a guest. */
function invitedName({ domain }, { email, preferred_username: name = email }) {
  return name && `${String(name).replace("@", "_")}#EXT#@${domain}`;
}

function builtIn(value) {
  return { "@odata.type": "microsoft.graph.stringDirectoryAttributeValue", value, attributeType: "builtIn" };
}

/** An address that its owner has just proven with a code that was mailed to it. */
function localAccount({ domain }, address) {
  return { signInType: "emailAddress", issuer: domain, issuerAssignedId: address };
}
