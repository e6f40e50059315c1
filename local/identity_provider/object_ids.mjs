/** Ids that a directory gives to what it makes: always the same ones, also after a restart. */

import { createHash } from "node:crypto";

/** The object id of somebody by address, or of an app's service principal by the app's id. */
export function objectId(directory, name) {
  const digest = createHash("sha256").update(`${directory.tid}/${name.toLowerCase()}`).digest("hex");
  return digest.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, "$1-$2-4$3-8$4-$5");
}
