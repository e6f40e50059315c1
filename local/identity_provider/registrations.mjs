/** What is registered here: the directories, the API that access tokens are for, and the apps that may ask for them. */

/** The audience of the API's access tokens. */
export const API = "a0000000-0000-4000-8000-0000000000a1";

/** The API as a resource indicator (RFC 8707), and every spelling of its one scope that Entra understands. */
export const API_RESOURCE = `api://${API}`;
export const API_SCOPE = "access_as_user";
export const API_SCOPES = [API_SCOPE, `${API}/${API_SCOPE}`, `${API_RESOURCE}/${API_SCOPE}`];

/** The audience of the hooks: an app of its own, so that nobody's token for the API opens them. */
export const HOOKS = "a0000000-0000-4000-8000-0000000000a2";

/** The app by which Entra calls custom authentication extensions, the same one in every directory. */
export const ENTRA_EXTENSIONS = "99045fe1-7639-4a75-9d4a-577b6ca3810f";

/** Our custom authentication extension, and what makes it listen to sign-ins. */
export const EXTENSION = "a0000000-0000-4000-8000-000000000021";
export const LISTENER = "a0000000-0000-4000-8000-000000000022";

/** The claims that tokens take over from the extension, whatever else it says: the apps' claims mapping. */
export const MAPPED_CLAIMS = ["loomeStatus", "loomeRoles", "loomeRolesCut", "loomeVersion"];

/** The products' front ends: public clients, told apart by `azp`. */
export const CLIENTS = [
  { id: "a0000000-0000-4000-8000-000000000011", name: "Loome Integrate" },
  { id: "a0000000-0000-4000-8000-000000000012", name: "Loome Integrate Classic" },
  { id: "a0000000-0000-4000-8000-000000000013", name: "Loome Assist" },
  { id: "a0000000-0000-4000-8000-000000000014", name: "Loome Portal" },
  { id: "a0000000-0000-4000-8000-000000000015", name: "Loome Monitor" },
];

/** The client with this id, which may be one that is not registered here. */
export function clientWithId(id) {
  return CLIENTS.find((client) => client.id === id) ?? { id, name: "Another app" };
}

/** The client that tokens are for when nobody says otherwise. */
export const INTEGRATE = CLIENTS[0].id;

/** `domain` is the one that the directory owns: addresses in it belong to its members. */
export const DIRECTORIES = [
  { name: "contoso", title: "Contoso", tid: "c0000000-0000-4000-8000-000000000001", domain: "contoso.test" },
  { name: "fabrikam", title: "Fabrikam", tid: "fa000000-0000-4000-8000-000000000002", domain: "fabrikam.test" },
];
