/** What a resource without a record has left on a cluster, and how it is removed. */
import { environmentIdOf, idOf, parseName, type PlannedChange, type Residue } from "@mpc/domain";
import type { Store } from "@mpc/storage";
import type {
  ApplyCall,
  ClusterReader,
  Provider,
  ProviderCall,
  Ref,
  WorkloadRef,
} from "../ports/mod.ts";

/** Identifies what was left behind. */
export interface LeftBehind {
  /** Name of the environment or workload that it once belonged to. */
  readonly target: string;
  readonly targetUid: string;
  /** Name of the cluster; absent if it may be on any. */
  readonly cluster?: string;
}

/**
 * Whether the resource has a record: its deletion has not ended, or ended early, and its objects on
 * the cluster may be in use again.
 */
export async function hasRecord(
  { environments, workloads }: Store,
  { target, targetUid }: LeftBehind,
  signal: AbortSignal,
): Promise<boolean> {
  const found = isEnvironment(target)
    ? await environments.get(target, { signal })
    : await workloads.get(target, { signal });
  return found?.value.uid === targetUid;
}

/**
 * The objects of others that its removal would delete, as `Kind/namespace/name`: those in the
 * namespace of an environment.
 */
export async function unmanagedInside(
  cluster: Pick<ClusterReader, "unmanagedObjects">,
  left: LeftBehind,
  call: ProviderCall,
): Promise<readonly string[]> {
  return isEnvironment(left.target) ? await cluster.unmanagedObjects(refOf(left), call) : [];
}

/** Requests the deletion of its objects; does not wait. */
export function requestRemoval(
  provider: Provider,
  left: LeftBehind,
  call: ApplyCall,
): Promise<readonly PlannedChange[]> {
  return isEnvironment(left.target)
    ? provider.deleteNamespace(refOf(left), call)
    : provider.deleteWorkloads([workloadRefOf(left)], call);
}

/** Waits until its objects are gone. */
export function awaitRemoval(
  provider: Provider,
  left: LeftBehind,
  call: ProviderCall & { readonly onBlocked?: (blockers: readonly Residue[]) => void },
): Promise<void> {
  return isEnvironment(left.target)
    ? provider.awaitNamespaceGone(refOf(left), call)
    : provider.awaitWorkloadGone(workloadRefOf(left), call);
}

const isEnvironment = (target: string): boolean => parseName(target)?.kind === "environment";

const refOf = ({ target, targetUid, cluster }: LeftBehind): Ref => ({
  environment: environmentIdOf(target),
  uid: targetUid,
  ...(cluster && { cluster }),
});

const workloadRefOf = (left: LeftBehind): WorkloadRef => ({
  ...refOf(left),
  workload: idOf(left.target),
});
