import { type Client, ConnectError } from "@connectrpc/connect";
import { type Connection, readFailure, unlessNotFound } from "@mpc/client";
import {
  type Environment,
  EnvironmentService,
  EnvironmentState,
  type Operation,
  type Workload,
  WorkloadService,
  WorkloadState,
} from "@mpc/proto";
import { CliError, EXIT } from "../errors/cli_error.ts";
import { createLimit } from "../limit.ts";
import { environmentIdOf, environmentName, idOf } from "../names.ts";
import { clusterDifferences, type Difference, recordDifferences } from "./differences.ts";
import { expiryChange } from "./expiry.ts";
import type { Manifest } from "./manifest.ts";

/** How many manifests are compared at a time. */
const CONCURRENCY = 8;

/** The change that brings a resource to the state of its manifest. */
export interface Change {
  readonly manifest: Manifest;
  readonly action: "create" | "update" | "none";
  readonly differences: readonly Difference[];
  /** The resource as it was read; undefined if it does not exist, or its creation failed. */
  readonly live: Environment | Workload | undefined;
  /** The server's plan; undefined for a workload whose environment does not exist yet. */
  readonly plan: Operation | undefined;
}

/** Options of a submission. */
export interface CallOptions {
  readonly validateOnly: boolean;
  /** Takes over fields that somebody else manages on the cluster. */
  readonly forceConflicts: boolean;
  /** The server rejects the change unless its plan still has this hash; empty for any plan. */
  readonly planHash?: string;
}

interface PlanOptions extends Pick<CallOptions, "forceConflicts"> {
  /** Names of the environments that the same files create. */
  readonly created: ReadonlySet<string>;
}

/**
 * Compares a manifest with the live resource and the server's plan. Changes nothing.
 */
async function findChange(
  connection: Connection,
  manifest: Manifest,
  { created, forceConflicts }: PlanOptions,
): Promise<Change> {
  const found = await readLive(connection, manifest);
  assertNoEtag(manifest, found);
  const live = isUncreated(found) ? undefined : found;
  const plan = await planOf(connection, manifest, live, { created, forceConflicts });
  const differences = [...recordDifferences(manifest, live), ...clusterDifferences(plan)];
  if (!live) return { manifest, action: "create", differences, live, plan };
  const same = differences.length === 0 && plan?.plan?.changes.length === 0 && isReady(live);
  return { manifest, action: same ? "none" : "update", differences, live, plan };
}

/**
 * All changes for the manifests. Fails before anything changes.
 * @throws {ConnectError | CliError | AggregateError} the errors of all manifests that fail
 */
export async function findChanges(
  connection: Connection,
  manifests: readonly Manifest[],
  { forceConflicts = false }: { readonly forceConflicts?: boolean | undefined } = {},
): Promise<readonly Change[]> {
  const limit = createLimit(CONCURRENCY);
  const created = new Set<string>();
  const find = async (kind: Manifest["kind"]) => {
    const found = await Promise.allSettled(
      manifests.filter((manifest) => manifest.kind === kind)
        .map((manifest) =>
          limit(() => findChange(connection, manifest, { created, forceConflicts }))
        ),
    );
    const errors = found.flatMap((one) => one.status === "rejected" ? [one.reason] : []);
    if (errors.length > 1) throw new AggregateError(errors);
    if (errors.length === 1) throw errors[0];
    return found.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
  };
  const environments = await find("environment");
  for (const { action, manifest } of environments) {
    if (action === "create") created.add(manifest.name);
  }
  return [...environments, ...await find("workload")];
}

/**
 * Submits a change, or requests its plan. An etag in the manifest must match.
 * @param live the resource as it was read; undefined to create it
 */
export async function submit(
  connection: Connection,
  manifest: Manifest,
  live: Environment | Workload | undefined,
  { validateOnly, forceConflicts, planHash = "" }: CallOptions,
): Promise<Operation> {
  const common = { requestId: crypto.randomUUID(), validateOnly, planHash };
  const { name, kind, resource } = manifest;
  if (kind === "workload") {
    return await connection.client(WorkloadService).deployWorkload({
      ...common,
      forceConflicts,
      parent: environmentName(environmentIdOf(name)),
      workloadId: idOf(name),
      workload: resource,
    });
  }
  const client: Client<typeof EnvironmentService> = connection.client(EnvironmentService);
  if (!live) {
    const environmentId = idOf(name);
    return await client.createEnvironment({ ...common, environmentId, environment: resource });
  }
  const expireTime = expiryChange(manifest, live)?.expireTime;
  const paths = ["labels", "annotations", "quota", "deletion_protection", "cluster"];
  const { ttl: _, expireTime: __, ...rest } = resource;
  return await client.updateEnvironment({
    ...common,
    forceConflicts,
    environment: { ...rest, ...(expireTime && { expireTime }) },
    updateMask: { paths: expireTime ? [...paths, "expire_time"] : paths },
  });
}

/**
 * Submits a change as it was compared. If the resource has changed meanwhile, it is compared again,
 * and the change is submitted if it is still the same, or if nothing is left to change.
 * @throws {CliError} conflict
 */
export async function submitCompared(
  connection: Connection,
  change: Change,
  { forceConflicts }: Pick<CallOptions, "forceConflicts">,
): Promise<Operation> {
  const { manifest, differences } = change;
  const options = { validateOnly: false, forceConflicts };
  let { live } = change;
  for (let round = 1;; round++) {
    if (!live || manifest.resource.etag !== "") {
      return await submit(connection, manifest, live, options);
    }
    try {
      return await submit(connection, withEtag(manifest, live.etag), live, options);
    } catch (error) {
      if (round >= MAX_ROUNDS || !isMoved(error)) throw error;
    }
    const again = await findChange(connection, manifest, { created: new Set(), forceConflicts });
    const isSame = JSON.stringify(again.differences) === JSON.stringify(differences);
    if (!again.live || (again.action !== "none" && !isSame)) throw moved(manifest);
    live = again.live;
  }
}

/** How often a change is submitted whose resource changes again and again without a difference. */
const MAX_ROUNDS = 5;

const isMoved = (error: unknown): boolean =>
  error instanceof ConnectError && readFailure(error).reason === "ETAG_MISMATCH";

const moved = ({ name }: Manifest): CliError =>
  new CliError(`Cannot apply '${name}': it has changed since it was compared with the file`, {
    exitCode: EXIT.CONFLICT,
    hint: "See what differs now with 'mpctl diff -f', then apply again",
  });

const withEtag = (manifest: Manifest, etag: string): Manifest =>
  manifest.kind === "workload"
    ? { ...manifest, resource: { ...manifest.resource, etag } }
    : { ...manifest, resource: { ...manifest.resource, etag } };

/** @throws {CliError} if the manifest requires a resource that does not exist */
function assertNoEtag(
  { name, resource }: Manifest,
  live: Environment | Workload | undefined,
): void {
  if (live || resource.etag === "") return;
  throw new CliError(`Cannot apply '${name}': the file has an etag, and it does not exist`, {
    exitCode: EXIT.NOT_FOUND,
    hint: "Remove 'etag' from the file to create it",
  });
}

async function readLive(
  connection: Connection,
  { kind, name }: Manifest,
): Promise<Environment | Workload | undefined> {
  return await unlessNotFound<Environment | Workload>(() =>
    kind === "environment"
      ? connection.client(EnvironmentService).getEnvironment({ name })
      : connection.client(WorkloadService).getWorkload({ name })
  );
}

/** A workload has no plan while its environment does not exist. */
async function planOf(
  connection: Connection,
  manifest: Manifest,
  live: Environment | Workload | undefined,
  { created, forceConflicts }: PlanOptions,
): Promise<Operation | undefined> {
  const environment = environmentName(environmentIdOf(manifest.name));
  if (manifest.kind === "workload" && created.has(environment)) return undefined;
  return await submit(connection, manifest, live, { validateOnly: true, forceConflicts });
}

/** Whether the creation of an environment failed: it can be created again, and not updated. */
function isUncreated(found: Environment | Workload | undefined): boolean {
  return found?.$typeName === "mpc.v1.Environment" &&
    found.state === EnvironmentState.CREATE_FAILED;
}

function isReady(live: Environment | Workload): boolean {
  return live.$typeName === "mpc.v1.Environment"
    ? live.state === EnvironmentState.READY
    : live.state === WorkloadState.READY;
}
