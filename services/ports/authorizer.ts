import type { Filter, OperationKind } from "@mpc/domain";
import type { Caller } from "../caller.ts";

/** The permissions of callers. A change needs the permission of its operation kind. */
export type Permission =
  | OperationKind
  | "environment.get"
  | "workload.get"
  | "workload.logs"
  | "operation.get"
  | "platform.diagnose"
  | "tokens.create"
  | "tokens.get"
  | "tokens.revoke";

/** The permissions of lists and watches; each concerns documents of one kind. */
export type ListPermission = "environment.get" | "workload.get" | "operation.get";

export interface Access {
  readonly permission: Permission;
  /** Name of the resource whose environment decides; null for the platform as a whole. */
  readonly resource: string | null;
}

/**
 * Decides what callers may do and see. Use cases call it before they read anything that their
 * response could reveal. Callers of kind `system` are the platform itself and are always allowed.
 *
 * Health, reflection and `GetServerInfo` do not call it: they describe the server, reveal nothing
 * about any resource, and clients need them before they can log in. The rate limit applies to all
 * of them except health.
 */
export interface Authorizer {
  /** @throws {MpcError} PERMISSION_DENIED; it must not depend on whether the resource exists */
  authorize(caller: Caller, access: Access): Promise<void>;
  /**
   * A filter over the documents that the caller may see; null for all of them.
   * @throws {MpcError} PERMISSION_DENIED if the caller may see none of them
   */
  visible(caller: Caller, permission: ListPermission): Promise<Filter | null>;
}
