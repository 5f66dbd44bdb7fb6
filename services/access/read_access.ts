/** What callers ask about access: their own, or another principal's. */
import { invalidArgument, parseName } from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import type { Decision, Grant, Subject } from "../ports/mod.ts";
import { isPermission, PERMISSIONS } from "./permissions.ts";

/** The principal that is asked about; the caller if it is empty. */
interface About {
  readonly principal: string;
  readonly groups: readonly string[];
}

/**
 * Decides whether the caller, or another principal, has a permission.
 * @param request.resource name of an environment or of a workload; empty for the whole platform
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, PERMISSION_DENIED `PERMISSION_MISSING` for
 *   another principal without `access.check`
 */
export async function checkAccess(
  deps: ServiceDeps,
  caller: Caller,
  request: About & { readonly permission: string; readonly resource: string },
): Promise<Decision> {
  const action = "check access";
  const { permission, resource } = request;
  if (!isPermission(permission)) {
    throw invalidArgument(action, [{
      field: "permission",
      value: permission.slice(0, 100),
      rule: "ENUM",
      hint: `must be one of ${PERMISSIONS.join(", ")}`,
    }]);
  }
  const parsed = parseName(resource);
  if (resource !== "" && parsed?.kind !== "environment" && parsed?.kind !== "workload") {
    throw invalidArgument(action, [{
      field: "resource",
      value: resource.slice(0, 100),
      rule: "RESOURCE_NAME",
      hint: "must be empty, environments/{environment} or the name of a workload in it",
    }]);
  }
  const subject = await subjectOf(deps, caller, action, request);
  return await deps.authorizer.check(subject, { permission, resource: resource || null });
}

/**
 * Lists the roles of the caller or of another principal.
 * @throws {MpcError} as {@linkcode checkAccess} does
 */
export async function listAccess(
  deps: ServiceDeps,
  caller: Caller,
  request: About,
): Promise<{ readonly principal: string; readonly grants: readonly Grant[] }> {
  const subject = await subjectOf(deps, caller, "list access", request);
  return { principal: subject.principal, grants: deps.authorizer.grants(subject) };
}

async function subjectOf(
  { authorizer }: ServiceDeps,
  caller: Caller,
  action: string,
  { principal, groups }: About,
): Promise<Subject> {
  if (principal === "") {
    if (groups.length === 0) return caller;
    throw invalidArgument(action, [{
      field: "groups",
      value: (groups[0] ?? "").slice(0, 100),
      rule: "NOT_APPLICABLE",
      hint: "are those of another principal, which must be named too",
    }]);
  }
  await authorizer.authorize(caller, { permission: "access.check", resource: null });
  return { principal, groups };
}
