import type { Client } from "@connectrpc/connect";
import { type Connection, unlessNotFound } from "@mpc/client";
import {
  type Environment,
  EnvironmentService,
  EnvironmentState,
  type Operation,
  type Workload,
  WorkloadService,
  WorkloadState,
} from "@mpc/proto";
import { environmentIdOf, environmentName, idOf } from "../names.ts";
import { clusterDifferences, type Difference, recordDifferences } from "./differences.ts";
import type { Manifest } from "./manifest.ts";

/** The change that brings a resource to the state of its manifest. */
export interface Change {
  readonly manifest: Manifest;
  readonly action: "create" | "update" | "none";
  readonly differences: readonly Difference[];
  /** The server's plan; undefined for a workload whose environment does not exist yet. */
  readonly plan: Operation | undefined;
}

/** Options of a submission. */
export interface CallOptions {
  readonly validateOnly: boolean;
}

/** Compares a manifest with the live resource and the server's plan. Changes nothing. */
async function findChange(connection: Connection, manifest: Manifest): Promise<Change> {
  const live = await readLive(connection, manifest);
  const plan = await planOf(connection, manifest, live);
  const differences = [...recordDifferences(manifest, live), ...clusterDifferences(plan)];
  if (!live) return { manifest, action: "create", differences, plan };
  const same = differences.length === 0 && plan?.plan?.changes.length === 0 && isReady(live);
  return { manifest, action: same ? "none" : "update", differences, plan };
}

/** All changes for the manifests. Fails before anything changes. */
export async function findChanges(
  connection: Connection,
  manifests: readonly Manifest[],
): Promise<readonly Change[]> {
  const changes: Change[] = [];
  for (const manifest of manifests) changes.push(await findChange(connection, manifest));
  return changes;
}

/** Submits a change, or requests its plan. */
export async function submit(
  connection: Connection,
  manifest: Manifest,
  live: boolean,
  { validateOnly }: CallOptions,
): Promise<Operation> {
  const common = { requestId: crypto.randomUUID(), validateOnly };
  const { name, kind, resource } = manifest;
  if (kind === "workload") {
    return await connection.client(WorkloadService).deployWorkload({
      ...common,
      parent: environmentName(environmentIdOf(name)),
      workloadId: idOf(name),
      // A file is applied repeatedly: it contains the desired state, not the version that it was
      // made from.
      workload: { ...resource, etag: "" },
    });
  }
  const client: Client<typeof EnvironmentService> = connection.client(EnvironmentService);
  const environment = { ...resource, etag: "" };
  if (!live) {
    return await client.createEnvironment({ ...common, environmentId: idOf(name), environment });
  }
  // A time to live counts from creation, so applying the same file again does not extend it.
  const paths = ["labels", "annotations", "quota", "deletion_protection", "cluster"];
  return await client.updateEnvironment({ ...common, environment, updateMask: { paths } });
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
): Promise<Operation | undefined> {
  const plan = () => submit(connection, manifest, live !== undefined, { validateOnly: true });
  return live || manifest.kind === "environment" ? await plan() : await unlessNotFound(plan);
}

function isReady(live: Environment | Workload): boolean {
  return live.$typeName === "mpc.v1.Environment"
    ? live.state === EnvironmentState.READY
    : live.state === WorkloadState.READY;
}
