import type { Filter } from "@mpc/domain";
import type { ListPermission, Permission } from "../access/permissions.ts";
import type { Caller } from "../caller.ts";

/** What a caller wants to do. */
export interface Access {
  readonly permission: Permission;
  /** Name of the resource whose environment decides; null for the platform as a whole. */
  readonly resource: string | null;
  /** The labels that the environment is to have, where they are given; they decide as well. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The principal that requested the operation that this is about. */
  readonly actor?: string;
  /** What the caller named, where it is not the resource itself; refusals name this. */
  readonly named?: string;
}

/** Whom a decision is about. */
export type Subject = Pick<Caller, "principal" | "groups">;

export interface Decision {
  readonly allowed: boolean;
  /** Which role allows it, or what is missing; one sentence without a period. */
  readonly reason: string;
  /** Principals, and groups as `group:NAME`, that can give the permission; empty if it is allowed. */
  readonly grantedBy: readonly string[];
}

/** A role that a subject has. */
export interface Grant {
  readonly role: string;
  readonly permissions: readonly Permission[];
  /** Null for the whole platform. */
  readonly environments: {
    readonly names: readonly string[];
    /** Empty for none. */
    readonly selector: string;
  } | null;
  /** Why the subject has it: its principal, one of its groups as `group:NAME`, or `*`. */
  readonly subject: string;
}

/**
 * Decides what callers may do and see. Use cases call it before they read anything that their
 * response could reveal. Callers of kind `system` are the platform itself and are always allowed.
 *
 * Public methods do not call it; `methods.ts` lists them.
 */
export interface Authorizer {
  /**
   * @throws {MpcError} PERMISSION_DENIED `PERMISSION_MISSING`; neither whether it is thrown nor its
   *   message depends on whether a resource exists that the caller may not see
   */
  authorize(caller: Caller, access: Access): Promise<void>;
  /**
   * A filter over the documents that the caller may see; null for all of them. It is the answer of
   * this moment: a long watch asks again.
   * @throws {MpcError} PERMISSION_DENIED if the caller may see none of them
   */
  visible(caller: Caller, permission: ListPermission): Promise<Filter | null>;
  /** The decision about any subject, for callers that ask. */
  check(subject: Subject, access: Access): Promise<Decision>;
  /** The roles of a subject. */
  grants(subject: Subject): readonly Grant[];
}
