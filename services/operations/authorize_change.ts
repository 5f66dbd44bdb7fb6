import type { Operation } from "@mpc/domain";
import { type Permission, permissionOf } from "../access/permissions.ts";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";

/**
 * Checks that a caller may change an operation: that takes the permission for it and what the
 * operation's own change needs.
 * @throws {MpcError} PERMISSION_DENIED `PERMISSION_MISSING`
 */
export async function authorizeChange(
  { authorizer }: ServiceDeps,
  caller: Caller,
  permission: Permission,
  operation: Operation,
): Promise<void> {
  const { target: resource } = operation;
  await authorizer.authorize(caller, { permission, resource });
  await authorizer.authorize(caller, { permission: permissionOf(operation), resource });
}
