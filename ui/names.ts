/** Names of resources, and the pages that show them. */

/** The page of a resource. */
export const pathOf = (name: string): string => `/${encodeURI(name)}`;

/** The last segment of a name. */
export const idOf = (name: string): string => name.slice(name.lastIndexOf("/") + 1);

/** A name without its collections: `environments/dev/workloads/web` becomes `dev/web`. */
export const shortName = (name: string): string =>
  name.split("/").filter((_, index) => index % 2 === 1).join("/");

/** A text as a literal of a filter (AIP-160). */
export const quoted = (text: string): string =>
  `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
