import {
  type Environment,
  idOf,
  MpcError,
  parseName,
  type ReasonOf,
  type ResourceKind,
} from "@mpc/domain";
import { invalidArgument } from "@mpc/domain";
import type { Collection, Stored } from "@mpc/storage";
import type { Caller } from "../caller.ts";

/**
 * Reads a resource that must exist.
 * @param action the action that needs it, in messages: `get environment`
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`: `name` is not a name of this kind
 * @throws {MpcError} NOT_FOUND `ENVIRONMENT_NOT_FOUND`, `WORKLOAD_NOT_FOUND`, …
 */
export async function getExisting<T extends { readonly name: string }>(
  collection: Collection<T>,
  kind: ResourceKind,
  name: string,
  action: string,
  caller: Caller,
): Promise<Stored<T>> {
  assertName(kind, name, action);
  const stored = await collection.get(name, { signal: caller.signal });
  if (stored) return stored;
  throw notFound(kind, name, action);
}

/** The error for a missing resource. */
export function notFound(kind: ResourceKind, name: string, action: string): MpcError {
  return new MpcError("NOT_FOUND", {
    reason: NOT_FOUND[kind],
    message: `Cannot ${action} '${idOf(name)}': there is no ${kind} '${name}'`,
    metadata: { resource: name },
  });
}

const NOT_FOUND: Readonly<Record<ResourceKind, ReasonOf<"NOT_FOUND">>> = {
  environment: "ENVIRONMENT_NOT_FOUND",
  workload: "WORKLOAD_NOT_FOUND",
  revision: "REVISION_NOT_FOUND",
  operation: "OPERATION_NOT_FOUND",
};

const PATTERN: Readonly<Record<ResourceKind, string>> = {
  environment: "environments/{environment}",
  workload: "environments/{environment}/workloads/{workload}",
  revision: "environments/{environment}/workloads/{workload}/revisions/{number}",
  operation: "operations/{uuid}",
};

/** @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS` if `name` is not a name of this kind */
export function assertName(kind: ResourceKind, name: string, action: string, field = "name"): void {
  if (parseName(name)?.kind === kind) return;
  throw invalidArgument(action, [{
    field,
    value: name.slice(0, 100),
    rule: "RESOURCE_NAME",
    hint: `must be ${PATTERN[kind]}`,
  }]);
}

/**
 * Compares the etag of a request with that of the resource (AIP-154). The empty string asks for no
 * check, `*` for any version of a resource that exists (RFC 9110, `If-Match`).
 * @param current null where there is no such resource: then every etag is refused
 * @throws {MpcError} ABORTED `ETAG_MISMATCH`
 */
export function assertEtag(
  wanted: string,
  current: string | null,
  name: string,
  action: string,
): void {
  if (wanted === "" || wanted === current || (wanted === "*" && current !== null)) return;
  const found = current === null ? "it does not exist" : `its etag is '${current}'`;
  throw new MpcError("ABORTED", {
    reason: "ETAG_MISMATCH",
    message: `Cannot ${action} '${idOf(name)}': ${found}, the request has '${wanted}'; ${
      current === null ? "send no etag if it need not exist" : "read it again"
    }`,
    retryable: false,
    metadata: { resource: name, ...(current !== null && { etag: current }) },
  });
}

/** @throws {MpcError} FAILED_PRECONDITION unless workloads may be deployed into the environment */
export function assertDeployable(environment: Environment, action: string): void {
  if (environment.state === "READY" || environment.state === "UPDATING") return;
  if (environment.state === "UPDATE_FAILED") return;
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "ENVIRONMENT_NOT_READY",
    message: `Cannot ${action}: environment '${
      idOf(environment.name)
    }' is ${environment.state}, must be READY`,
    metadata: { environment: environment.name, state: environment.state },
  });
}
