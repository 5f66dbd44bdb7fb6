import { MpcError } from "@mpc/domain";
import { type Clock, sleepUnlessAborted } from "@mpc/services";
import { NAMESPACE, POD, REPLICA_SET } from "../../../worker/providers/kubernetes/client/kinds.ts";
import { ALL_KINDS } from "../../../worker/providers/kubernetes/managed_kinds.ts";
import { type LiveObject, refOf } from "../../../worker/providers/kubernetes/client/kube_object.ts";
import { FakeApiServer } from "./fake_api_server.ts";
import { FakeKubeClient } from "./fake_kube_client.ts";
import { FakeDeployments, type PodDelays, tagOf } from "./fake_deployments.ts";

const DELETE_MS = 500;
const STICKY_MS = 60_000;
const STICKY_FINALIZER = "fake.mpc.dev/sticky";

/**
 * A fake API server with the controllers of a cluster: Deployments roll out, deletions include
 * dependents, namespaces end. Everything runs on the test's clock. Images misbehave by their tags,
 * as on the simulated cluster.
 */
export class FakeCluster {
  readonly client: FakeKubeClient;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #flaky = new Map<string, number>();

  constructor(clock: Clock, delays: PodDelays = { podMs: 700 }, name = "fake") {
    this.#clock = clock;
    this.client = new FakeKubeClient(new FakeApiServer(), name);
    const { server } = this.client;
    server.now = () => clock.now();
    const deployments = new FakeDeployments({
      server,
      clock,
      delays,
      later: (ms, act) => this.#later(ms, act),
    });
    this.client.printed = (pod) => deployments.printed(pod);
    this.client.onDelete = (object) => this.#delete(object);
    this.client.fault = (verb, subject) =>
      verb === "apply" ? this.#flakyApply(subject as LiveObject) : undefined;
    server.onChange(({ object, type }) => {
      if (object.kind === "Deployment" && type !== "DELETED") deployments.reconcile(object);
    });
  }

  /** Stops all controllers. */
  stopControllers(): void {
    this.#stop.abort();
  }

  /** Stops everything that is running. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.client.close();
  }

  #delete(object: LiveObject): void {
    const { server } = this.client;
    const { metadata } = object;
    if (metadata.deletionTimestamp !== undefined) return;
    const sticky = tagOf(object) === "sticky";
    server.update(
      {
        ...object,
        metadata: {
          ...metadata,
          deletionTimestamp: new Date(this.#clock.now()).toISOString(),
          finalizers: ["foregroundDeletion", ...(sticky ? [STICKY_FINALIZER] : [])],
        },
      },
      "fake-apiserver",
      "status",
    );
    if (object.kind === "Namespace") return this.#endNamespace(object);
    this.#later(sticky ? STICKY_MS : DELETE_MS, () => {
      const dependents = [REPLICA_SET, POD].flatMap((kind) =>
        server.list(kind, { namespace: metadata.namespace })
      ).filter((dependent) => descendsFrom(dependent, object, server.list(REPLICA_SET)));
      for (const dependent of dependents) server.remove(refOf(dependent));
      server.remove(refOf(object));
    });
  }

  #endNamespace(namespace: LiveObject): void {
    const { server } = this.client;
    const inside = ALL_KINDS.filter(({ kind }) => kind !== "Namespace").flatMap((kind) =>
      server.list(kind, { namespace: namespace.metadata.name })
    );
    for (const object of inside) this.#delete(object);
    const held = inside.filter((object) => tagOf(object) === "sticky");
    if (held.length > 0) {
      const now = server.get(refOf(namespace)) ?? namespace;
      const conditions = [
        {
          type: "NamespaceContentRemaining",
          status: "True",
          message:
            `Some resources are remaining: deployments.apps has ${held.length} resource instances`,
        },
        {
          type: "NamespaceFinalizersRemaining",
          status: "True",
          message:
            `Some content in the namespace has finalizers remaining: ${STICKY_FINALIZER} in ${held.length} resource instances`,
        },
      ];
      server.update({ ...now, status: { phase: "Terminating", conditions } }, "fake", "status");
    }
    const finish = () => {
      const left = ALL_KINDS.filter(({ kind }) => kind !== "Namespace").some((kind) =>
        server.list(kind, { namespace: namespace.metadata.name }).length > 0
      );
      if (left) this.#later(DELETE_MS, finish);
      else server.remove({ ...NAMESPACE, name: namespace.metadata.name });
    };
    this.#later(DELETE_MS, finish);
  }

  /** A `:flaky` image fails twice when it is applied. */
  #flakyApply(object: LiveObject): Error | undefined {
    if (tagOf(object) !== "flaky") return undefined;
    const key = object.metadata.name;
    const attempt = (this.#flaky.get(key) ?? 0) + 1;
    this.#flaky.set(key, attempt);
    return attempt > 2 ? undefined : new MpcError("UNAVAILABLE", {
      reason: "CLUSTER_FAILED",
      message: `Cannot apply '${key}': the cluster failed`,
    });
  }

  #later(ms: number, act: () => void): void {
    sleepUnlessAborted(this.#clock, ms, this.#stop.signal).then((slept) => slept && act());
  }
}

function descendsFrom(
  object: LiveObject,
  ancestor: LiveObject,
  replicaSets: readonly LiveObject[],
): boolean {
  return (object.metadata.ownerReferences ?? []).some(({ uid }) =>
    uid === ancestor.metadata.uid ||
    replicaSets.some((set) => set.metadata.uid === uid && descendsFrom(set, ancestor, []))
  );
}
