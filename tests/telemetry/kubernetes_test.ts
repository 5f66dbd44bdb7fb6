/** Traces of the calls of a Kubernetes cluster, and on its objects. */
import assert from "node:assert/strict";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { startOtlpReceiver } from "../servers/otlp_receiver.ts";
import { runCommand } from "../servers/run_command.ts";
import { treeOf } from "./traced_processes.ts";

const PROGRAM = new URL("traced_cluster.ts", import.meta.url).pathname;
const [FIRST, SECOND] = ["a".repeat(32), "b".repeat(32)];

Deno.test(
  "calls of Kubernetes are spans, and new objects name their trace",
  NO_SANITIZERS,
  async () => {
    await using receiver = startOtlpReceiver();
    const { code, out, err } = await runCommand(
      [Deno.execPath(), "run", "--allow-all", "--quiet", PROGRAM],
      { env: { ...receiver.env, OTEL_SERVICE_NAME: "worker" } },
    );
    assert.equal(code, 0, err);
    const [first, drift, second] = out.trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(drift, []);
    assert.deepEqual(second, first, "an apply that changes nothing writes nothing");
    const traced = first.filter(({ trace }: { trace: string | null }) => trace !== null);
    assert.deepEqual(
      traced.map(({ object, trace }: { object: string; trace: string }) => [object, trace]),
      [["Namespace/dev", FIRST], ["Deployment/web", FIRST]],
    );
    await receiver.until((spans) => spans.some(({ name }) => name === "second"));
    const tree = treeOf(receiver.spans, FIRST!).map((line) => line.trim());
    for (const name of ["cluster apply_namespace", "cluster apply_workload"]) {
      assert.ok(tree.includes(`worker INTERNAL ${name}`), tree.join("\n"));
    }
    const applied = receiver.spans.find((span) => span.name === "apply Deployment")!;
    assert.deepEqual([applied.traceId, applied.kind], [FIRST, "CLIENT"]);
    assert.deepEqual(applied.attributes, {
      "k8s.cluster.name": "fake",
      "mpc.k8s.kind": "Deployment",
      "k8s.namespace.name": "dev",
      "k8s.deployment.name": "web",
    });
    const within = receiver.spans.find(({ spanId }) => spanId === applied.parentSpanId);
    assert.equal(within?.name, "cluster apply_workload");
    assert.ok(receiver.spans.some(({ traceId }) => traceId === SECOND));
  },
);
