import {
  type EnvironmentInput,
  environmentName,
  etagOf,
  MpcError,
  parseEnvironmentInput,
} from "@mpc/domain";
import { assertIdle, type Prepared } from "../mutations/admit.ts";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { assertEtag } from "../resources/preconditions.ts";
import { wantedExpireTime } from "./expire_time.ts";
import { mutate, type MutationOptions, type MutationResult } from "../mutations/mutate.ts";

/** The fields in the API's structure, in camelCase; validated here. */
export interface CreateEnvironmentRequest extends MutationOptions {
  readonly environmentId: string;
  readonly environment: unknown;
  /** Must match, where set: only an environment whose creation failed has one (AIP-154). */
  readonly etag?: string;
}

/**
 * Creates an environment. An environment whose creation failed may be created again.
 * @throws {MpcError} INVALID_ARGUMENT `INVALID_FIELDS`, ALREADY_EXISTS `ENVIRONMENT_EXISTS`, ABORTED
 *   `ETAG_MISMATCH`, and what {@linkcode mutate} throws
 */
export function createEnvironment(
  deps: ServiceDeps,
  caller: Caller,
  request: CreateEnvironmentRequest,
): Promise<MutationResult> {
  const action = "create environment";
  const { environmentId, environment, etag = "" } = request;
  const input = parseEnvironmentInput(action, { environmentId, environment });
  const method = {
    name: "CreateEnvironment",
    body: etag === "" ? input : { ...input, etag },
    access: {
      permission: "environments.create",
      resource: environmentName(input.id),
      labels: input.labels,
    },
  } as const;
  return mutate(
    deps,
    caller,
    request,
    method,
    () => prepareCreation(deps, caller, action, input, etag),
  );
}

/** Checks a creation against the world. */
export async function prepareCreation(
  deps: ServiceDeps,
  { principal, signal }: Caller,
  action: string,
  input: EnvironmentInput,
  etag = "",
): Promise<Prepared> {
  const target = environmentName(input.id);
  const current = await deps.store.environments.get(target, { signal }) ?? null;
  if (current && current.value.state !== "CREATE_FAILED") {
    throw new MpcError("ALREADY_EXISTS", {
      reason: "ENVIRONMENT_EXISTS",
      message: `Cannot create environment '${input.id}': it exists and is ${current.value.state}`,
      metadata: { environment: target, state: current.value.state },
    });
  }
  assertEtag(etag, current && etagOf(current.value.uid, current.version), target, action);
  if (current) assertIdle(current.value, action);
  const uid = current?.value.uid ?? deps.ids.uuid();
  return {
    kind: "environment.create",
    target,
    targetUid: uid,
    input: {
      environment: input.id,
      uid,
      labels: input.labels,
      annotations: input.annotations,
      quota: { ...input.quota },
      expireTime: wantedExpireTime(action, deps.clock.now(), input),
      deletionProtection: input.deletionProtection,
      cluster: input.cluster,
      creator: principal,
    },
    current,
    lock: "take",
    timeoutMs: null,
  };
}
