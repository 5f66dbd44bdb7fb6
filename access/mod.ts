/** Who callers are and what they may do, as an access file says. */
export { type Access, openAccess } from "./open_access.ts";
