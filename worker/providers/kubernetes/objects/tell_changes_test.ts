/** What a failed call says it has changed, and an undo that is limited to that. */
import assert from "node:assert/strict";
import { isMpcError, madeBy, MpcError } from "@mpc/domain";
import { FakeKubeClient } from "../../../../tests/fakes/kubernetes/fake_kube_client.ts";
import { aWorkloadIntent } from "../../../../tests/fakes/intents.ts";
import { CONFIG_MAP } from "../client/kinds.ts";
import type { KubernetesObject } from "../render/mod.ts";
import { applyObjects } from "./apply.ts";
import { tellChanges } from "./tell_changes.ts";

const { uid } = aWorkloadIntent({ image: "web:1" }, {});
const live = () => ({ signal: new AbortController().signal });

const config = (name: string, data: Record<string, string> = {}): KubernetesObject => ({
  ...CONFIG_MAP,
  metadata: {
    name,
    namespace: "dev",
    labels: { "app.kubernetes.io/managed-by": "mpc", "mpc/uid": uid },
  },
  data,
});

const desired = (...objects: readonly KubernetesObject[]) => ({
  uid,
  installation: "test",
  namespace: "dev",
  objects,
  prune: [],
});

function world(): FakeKubeClient {
  const client = new FakeKubeClient();
  const metadata = { name: "dev" };
  client.server.update({ apiVersion: "v1", kind: "Namespace", metadata }, "test");
  return client;
}

const unreachable = (metadata: Record<string, string> = {}) =>
  new MpcError("UNAVAILABLE", { reason: "CLUSTER_UNREACHABLE", message: "no answer", metadata });

const FAILURES: readonly (readonly [string, MpcError, readonly string[]])[] = [
  [
    "an answer that refuses it",
    new MpcError("ABORTED", { reason: "FIELD_CONFLICT", message: "somebody else's" }),
    ["ConfigMap/dev/a"],
  ],
  ["a request that was not sent", unreachable({ sent: "no" }), ["ConfigMap/dev/a"]],
  [
    "a webhook that does not answer",
    new MpcError("UNAVAILABLE", { reason: "ADMISSION_UNREACHABLE", message: "no answer" }),
    ["ConfigMap/dev/a"],
  ],
  ["a lost answer", unreachable(), ["ConfigMap/dev/a", "ConfigMap/dev/b"]],
  [
    "a failure inside the server",
    new MpcError("UNAVAILABLE", { reason: "CLUSTER_FAILED", message: "a bug" }),
    ["ConfigMap/dev/a", "ConfigMap/dev/b"],
  ],
];

for (const [what, failure, made] of FAILURES) {
  Deno.test(`after ${what}, a call has made ${made.length} of three objects`, async () => {
    const client = world();
    client.fault = (verb, subject) =>
      verb === "apply" && "metadata" in subject && subject.metadata.name === "b"
        ? failure
        : undefined;
    const wanted = desired(config("a"), config("b"), config("c"));
    const error = await failureOf(tellChanges(client, (it) => applyObjects(it, wanted, live())));
    assert.deepEqual(madeBy(error), made);
    assert.deepEqual([error.code, error.reason], [failure.code, failure.reason]);
    assert.equal(error.retryable, failure.retryable);
  });
}

Deno.test("a dry run changes nothing, and neither does a call that fails before its first change", async () => {
  const client = world();
  client.fault = (verb) => verb === "apply" ? unreachable() : undefined;
  const wanted = desired(config("a"));
  const call = { ...live(), dryRun: true };
  const planned = await failureOf(tellChanges(client, (it) => applyObjects(it, wanted, call)));
  assert.deepEqual(madeBy(planned), []);
  client.fault = (verb) => verb === "get" ? unreachable() : undefined;
  const read = await failureOf(tellChanges(client, (it) => applyObjects(it, wanted, live())));
  assert.deepEqual(madeBy(read), []);
});

Deno.test("an undo restores only what was changed, though somebody else manages the rest", async () => {
  const client = world();
  const first = desired(config("a", { v: "1" }), config("b", { v: "1" }));
  await applyObjects(client, first, live());
  client.server.apply(config("b", { v: "theirs" }), {
    manager: "kubectl",
    force: true,
    dryRun: false,
  });
  const second = desired(config("a", { v: "2" }), config("b", { v: "2" }));
  const error = await failureOf(tellChanges(client, (it) => applyObjects(it, second, live())));
  assert.equal(error.reason, "FIELD_CONFLICT");
  const made = madeBy(error);
  assert.deepEqual(made, ["ConfigMap/dev/a"]);
  await assert.rejects(applyObjects(client, first, live()), "all of it is refused again");
  await applyObjects(client, first, { ...live(), only: made ?? [] });
  const data = (name: string) => client.server.get({ ...CONFIG_MAP, namespace: "dev", name })?.data;
  assert.deepEqual([data("a"), data("b")], [{ v: "1" }, { v: "theirs" }]);
});

async function failureOf(call: Promise<unknown>): Promise<MpcError> {
  try {
    await call;
  } catch (error) {
    if (isMpcError(error)) return error;
    throw error;
  }
  assert.fail("the call fails");
}
