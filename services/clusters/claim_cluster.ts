import { clusterName, idOf, MpcError, type Operation, PLATFORM } from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { mutate, type MutationOptions, type MutationResult } from "../mutations/mutate.ts";
import { allOf } from "../resources/read_all.ts";

/**
 * Claims a cluster for this store, although another copy of the store may have it.
 * @throws {MpcError} FAILED_PRECONDITION `UNKNOWN_CLUSTER`, and as {@linkcode mutate} documents
 */
export async function claimCluster(
  deps: ServiceDeps,
  caller: Caller,
  request: MutationOptions & { readonly cluster: string },
): Promise<MutationResult> {
  const { cluster } = request;
  const access = { permission: "platform.claim", resource: null } as const;
  const method = { name: "ClaimCluster", body: { cluster }, access };
  return await mutate(deps, caller, request, method, async () => {
    const known = (await allOf(deps.store.claims, caller.signal)).map(({ name }) => name);
    if (!known.includes(clusterName(cluster))) throw unknown(cluster, known);
    return {
      kind: "platform.claim",
      target: PLATFORM,
      targetUid: "",
      input: { cluster },
      current: null,
      lock: "none",
      timeoutMs: null,
      notes: (operation) => [requested(operation, cluster)],
    };
  });
}

const requested = ({ name, actor, createTime }: Operation, cluster: string) => ({
  time: createTime,
  type: "NOTICED" as const,
  reason: "ClaimRequested" as const,
  message: `Cluster '${cluster}' is to be claimed for this database`,
  target: clusterName(cluster),
  operation: name,
  actor,
  resource: null,
});

function unknown(cluster: string, known: readonly string[]): MpcError {
  const there = known.map((name) => `'${idOf(name)}'`).join(", ") || "none";
  return new MpcError("FAILED_PRECONDITION", {
    reason: "UNKNOWN_CLUSTER",
    message: `Cannot claim cluster '${cluster}': workers have ${there}`,
    metadata: { cluster },
  });
}
