/** Who callers are and what they may do, as an access file says. */
export { type Access, openAccess } from "./open_access.ts";
export { BUILT_IN_ROLES } from "./roles.ts";
