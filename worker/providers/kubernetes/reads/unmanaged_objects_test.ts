import assert from "node:assert/strict";
import { errorFor, MpcError } from "@mpc/domain";
import {
  live,
  workload,
  worldTest,
} from "../../../../tests/fakes/kubernetes/fake_cluster_world.ts";
import type { FakeClusterWorld } from "../../../../tests/fakes/kubernetes/fake_cluster_world.ts";
import type { LiveObject } from "../client/kube_object.ts";

const DEV = { environment: "dev", uid: "uid-dev" };

/** Makes an object in `dev`, as a person does with kubectl. */
function make(
  { cluster }: FakeClusterWorld,
  kind: string,
  name: string,
  more: Partial<LiveObject["metadata"]> & { readonly type?: string } = {},
): void {
  const { type, ...metadata } = more;
  cluster.client.server.update({
    apiVersion: "v1",
    kind,
    metadata: { name, namespace: "dev", ...metadata },
    ...(type !== undefined && { type }),
  }, "kubectl");
}

worldTest(
  "what a workload has, and what the cluster makes itself, is no object of others",
  async (world) => {
    const { provider, clock } = world;
    await world.deploy(workload("web"));
    await clock.advance(5_000);
    assert.ok(world.cluster.client.server.list({ apiVersion: "v1", kind: "Pod" }).length > 0);
    make(world, "ServiceAccount", "default");
    make(world, "ConfigMap", "kube-root-ca.crt");
    make(world, "Secret", "default-token", { type: "kubernetes.io/service-account-token" });
    assert.deepEqual(await provider.unmanagedObjects(DEV, live()), []);
  },
);

worldTest(
  "objects of people and of other installations are named, without what they own",
  async (world) => {
    const { provider } = world;
    make(world, "ConfigMap", "notes");
    make(world, "PersistentVolumeClaim", "data");
    make(world, "Pod", "debug");
    const labels = {
      "app.kubernetes.io/managed-by": "mpc",
      "mpc/uid": "x",
      "mpc/installation": "y",
    };
    make(world, "Service", "theirs", { labels });
    const owner = world.cluster.client.server.get({
      apiVersion: "v1",
      kind: "Pod",
      namespace: "dev",
      name: "debug",
    })!;
    const reference = { apiVersion: "v1", kind: "Pod", name: "debug", uid: owner.metadata.uid! };
    make(world, "ConfigMap", "of-debug", { ownerReferences: [reference] });
    const stranger = { ...reference, kind: "Database", uid: "unknown" };
    make(world, "Secret", "of-stranger", { ownerReferences: [stranger] });
    assert.deepEqual(await provider.unmanagedObjects(DEV, live()), [
      "ConfigMap/dev/notes",
      "PersistentVolumeClaim/dev/data",
      "Pod/dev/debug",
      "Secret/dev/of-stranger",
      "Service/dev/theirs",
    ]);
    const other = { environment: "dev", uid: "another" };
    assert.deepEqual(await provider.unmanagedObjects(other, live()), [], "not its namespace");
  },
);

worldTest(
  "a kind that may not be listed may have objects of others",
  async ({ provider, cluster }) => {
    cluster.client.fault = (verb, { kind }) =>
      verb === "list" && kind === "Secret"
        ? new MpcError("PERMISSION_DENIED", { reason: "CLUSTER_FORBIDS", message: "no" })
        : undefined;
    assert.deepEqual(await provider.unmanagedObjects(DEV, live()), ["Secret/dev/*"]);
  },
);

worldTest(
  "custom resources of others are found by discovery, and derived objects do not count",
  async (world) => {
    const { provider, cluster } = world;
    const widget = { apiVersion: "example.com/v1", kind: "Widget" };
    cluster.client.kinds = [widget, { apiVersion: "coordination.k8s.io/v1", kind: "Lease" }];
    const metadata = { name: "theirs", namespace: "dev" };
    cluster.client.server.update({ ...widget, metadata }, "kubectl");
    const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata };
    cluster.client.server.update(lease, "kubectl");
    assert.deepEqual(await provider.unmanagedObjects(DEV, live()), ["Widget/dev/theirs"]);
    for (const code of ["PERMISSION_DENIED", "UNAVAILABLE"] as const) {
      cluster.client.fault = (verb, { kind }) =>
        verb === "list" && kind === "Widget"
          ? errorFor(code === "UNAVAILABLE" ? "CLUSTER_UNREACHABLE" : "CLUSTER_FORBIDS", {
            message: "no",
          })
          : undefined;
      assert.deepEqual(await provider.unmanagedObjects(DEV, live()), ["Widget/dev/*"], code);
    }
    cluster.client.fault = (verb, { kind }) =>
      verb === "list" && kind === "Widget"
        ? errorFor("KIND_UNKNOWN", { message: "no" })
        : undefined;
    assert.deepEqual(await provider.unmanagedObjects(DEV, live()), [], "its definition is gone");
  },
);
