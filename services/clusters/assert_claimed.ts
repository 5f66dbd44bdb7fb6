import {
  type ClusterClaim,
  clusterName,
  environmentIdOf,
  environmentName,
  idOf,
  type JsonObject,
  type OperationKind,
} from "@mpc/domain";
import type { Store } from "@mpc/storage";
import { allOf } from "../resources/read_all.ts";
import { claimedElsewhere } from "./claimed_elsewhere.ts";

/** The change that is about to be admitted. */
interface Change {
  readonly kind: OperationKind;
  readonly target: string;
  readonly input: JsonObject;
}

/** Kinds that change no cluster, or lead out of the state. */
const ALLOWED: ReadonlySet<OperationKind> = new Set([
  "environment.abandon",
  "workload.abandon",
  "platform.claim",
]);

/**
 * Refuses a change of a cluster that another copy of the store claims. Workers refuse it too; this
 * check keeps operations from being admitted that can only fail.
 * @throws {MpcError} FAILED_PRECONDITION `CLUSTER_CLAIMED_ELSEWHERE`
 */
export async function assertClaimed(
  store: Store,
  { kind, target, input }: Change,
  signal: AbortSignal,
): Promise<void> {
  if (ALLOWED.has(kind)) return;
  const lost = (await allOf(store.claims, signal)).filter((claim) => claim.lost !== null);
  if (lost.length === 0) return;
  const clusters = await clustersOf(store, { kind, target, input }, signal);
  const first = lost.find(({ name }) => clusters.has(name));
  if (first) throw refusal(first, target);
}

const refusal = ({ name, lost }: ClusterClaim, target: string) =>
  claimedElsewhere(`change '${target}'`, idOf(name), lost?.renewTime ?? "");

/** Names of the clusters that a change concerns. */
async function clustersOf(
  store: Store,
  { kind, target, input }: Change,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  if (kind === "platform.sweep") {
    const { leftovers = [] } = input as { leftovers?: readonly { readonly cluster: string }[] };
    return new Set(leftovers.map(({ cluster }) => clusterName(cluster)));
  }
  const name = environmentName(environmentIdOf(target));
  const environment = await store.environments.get(name, { signal });
  const cluster = environment?.value.cluster ?? input["cluster"];
  return new Set(typeof cluster === "string" ? [clusterName(cluster)] : []);
}
