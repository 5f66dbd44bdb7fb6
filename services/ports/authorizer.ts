import type { Filter, OperationKind } from "@mpc/domain";
import type { Caller } from "../caller.ts";

/** What a caller may be allowed to do. A change needs the permission of its operation kind. */
export type Permission =
  | OperationKind
  | "environment.get"
  | "workload.get"
  | "workload.logs"
  | "operation.get"
  | "platform.diagnose"
  | "platform.sweep";

/** Permissions that lists and watches need: each is about documents of one kind. */
export type ListPermission = "environment.get" | "workload.get" | "operation.get";

export interface Access {
  readonly permission: Permission;
  /** Name of the resource whose environment decides; null for the platform as a whole. */
  readonly resource: string | null;
}

/**
 * Decides what callers may do and see. Use cases ask before they read anything that their answer
 * could reveal. Callers of kind `system` are the platform itself and are always allowed.
 *
 * Health, reflection and `GetServerInfo` are not asked about: they describe the server and hold
 * nothing of any resource. A client needs them before it can log in; the rate limit holds for all
 * of them but health.
 */
export interface Authorizer {
  /** @throws {MpcError} PERMISSION_DENIED; it must not depend on whether the resource exists */
  authorize(caller: Caller, access: Access): Promise<void>;
  /**
   * A filter over the documents that the caller may see; null for all of them.
   * @throws {MpcError} PERMISSION_DENIED where the caller may see none
   */
  visible(caller: Caller, permission: ListPermission): Promise<Filter | null>;
}
