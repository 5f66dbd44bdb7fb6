import type { PlannedChange } from "@mpc/domain";
import type { ProviderCall } from "@mpc/services";
import type { KubeClient } from "../client/kube_client.ts";
import { refOf, textOf } from "../client/kube_object.ts";
import { applyObjects } from "./apply.ts";
import { removesItself } from "./completed_jobs.ts";
import type { Desired } from "./desired.ts";
import { pruneObjects } from "./prune.ts";
import { isAutoscaled } from "./replica_ownership.ts";

/** The differences of the cluster from the desired state, as the changes that would undo them. */
export async function driftOf(
  client: KubeClient,
  desired: Desired,
  { signal }: ProviderCall,
): Promise<readonly PlannedChange[]> {
  const options = { signal, dryRun: true, forceConflicts: true };
  const temporary = new Set(desired.objects.filter(removesItself).map((o) => textOf(refOf(o))));
  const changes = [
    ...await applyObjects(client, desired, options),
    ...await pruneObjects(client, desired, options),
  ].filter(({ action, object }) => action !== "CREATE" || !temporary.has(object))
    .flatMap(withoutChosenStrategy);
  const rescaled = changes.some(({ fields }) => fields.some(({ path }) => path === REPLICAS));
  if (!rescaled) return changes;
  const live = await Promise.all(
    desired.objects.map((object) => client.get(refOf(object), { signal })),
  );
  const autoscaled = new Set(
    live.flatMap((object) => object && isAutoscaled(object) ? [textOf(refOf(object))] : []),
  );
  return changes.flatMap((change) => {
    if (!autoscaled.has(change.object)) return [change];
    const fields = change.fields.filter(({ path }) => path !== REPLICAS);
    return fields.length > 0 ? [{ ...change, fields }] : [];
  });
}

const REPLICAS = "spec.replicas";

const STRATEGY = "spec.strategy.";

/** What an apply sets instead of the rendered surge, so that an update fits its quota, as JSON. */
const CHOSEN: Readonly<Record<string, readonly string[]>> = {
  "spec.strategy.type": ['"Recreate"'],
  "spec.strategy.rollingUpdate.maxSurge": ["0", ""],
  "spec.strategy.rollingUpdate.maxUnavailable": ["1", ""],
};

/** Drops the update strategy if the last apply has chosen it (see `fitQuota`). */
function withoutChosenStrategy(change: PlannedChange): readonly PlannedChange[] {
  const strategy = change.fields.filter(({ path }) => path.startsWith(STRATEGY));
  const isChosen = strategy.every(({ path, before, after }) =>
    after !== '"Recreate"' && CHOSEN[path]?.includes(before)
  );
  if (strategy.length === 0 || !isChosen) return [change];
  const fields = change.fields.filter((field) => !strategy.includes(field));
  return fields.length > 0 ? [{ ...change, fields }] : [];
}
