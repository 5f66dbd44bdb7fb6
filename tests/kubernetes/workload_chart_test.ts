/** The bundled chart renders the same objects as the native renderer. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { WorkloadIntent } from "@mpc/services";
import fc from "fast-check";
import { parseAllDocuments } from "yaml";
import { chartValues } from "../../worker/providers/kubernetes/helm/mod.ts";
import {
  inApplyOrder,
  type KubernetesObject,
  renderWorkload,
} from "../../worker/providers/kubernetes/render/mod.ts";
import { arbitrarySpec } from "../fakes/arbitrary_spec.ts";
import { aWorkloadIntent, WORKLOAD_INTENTS } from "../fakes/intents.ts";
import { type Helm, helm } from "../servers/helm.ts";

const CHART = fileURLToPath(new URL("../../deploy/charts/workload", import.meta.url));

let run: Helm;

Deno.test.beforeAll(async () => {
  run = await helm();
});

async function byHelm(intent: WorkloadIntent): Promise<readonly KubernetesObject[]> {
  const { workload, environment } = intent;
  const args = ["template", workload, CHART, "--namespace", environment, "-f", "-"];
  const printed = await run(
    [...args, "--kube-version", "1.34.4"],
    JSON.stringify(chartValues(intent)),
  );
  const documents = parseAllDocuments(printed);
  return inApplyOrder([...documents].map((document) => document.toJS()));
}

for (const [name, intent] of Object.entries(WORKLOAD_INTENTS)) {
  Deno.test(`${name}: the chart renders what the native renderer renders`, async () => {
    assert.deepEqual(await byHelm(intent), renderWorkload(intent));
  });
}

Deno.test("any spec: the chart renders the same objects as the native renderer", async () => {
  await fc.assert(
    fc.asyncProperty(arbitrarySpec(), fc.string(), async (spec, restartToken) => {
      const intent = aWorkloadIntent(spec, { labels: { team: "1", on: "true" }, restartToken });
      assert.deepEqual(await byHelm(intent), renderWorkload(intent));
    }),
    { numRuns: 40 },
  );
});

Deno.test("the chart passes 'helm lint', and its schema rejects invalid values", async () => {
  const set = ["--set", "uid=u", "--set", "image=nginx:1"];
  await run(["lint", CHART, "--strict", "--kube-version", "1.34.4", ...set]);
  const template = ["template", "web", CHART, "--kube-version", "1.34.4"];
  await assert.rejects(run([...template, ...set, "--set", "replicas=many"]), /at '\/replicas'/);
  await assert.rejects(run([...template, ...set, "--set", "colour=red"]), /'colour' not allowed/);
  await assert.rejects(run(template), /at '\/uid'/);
});
