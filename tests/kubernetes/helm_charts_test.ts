/** Charts that the helm program renders. */
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { JsonObject } from "@mpc/domain";
import { systemClock } from "@mpc/process";
import {
  type ChartIntent,
  DEFAULT_HELM_OPTIONS,
  HelmCharts,
  type HelmOptions,
  isChartIntent,
} from "../../worker/providers/kubernetes/helm/mod.ts";
import { fieldAt } from "../../worker/providers/kubernetes/client/kube_object.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { aWorkloadIntent } from "../fakes/intents.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { goTool } from "../servers/go_tool.ts";
import { helm } from "../servers/helm.ts";
import { startOciRegistry } from "../servers/oci_registry.ts";

let charts: string;
let program: string;

Deno.test.beforeAll(async () => {
  program = await goTool("helm");
  charts = await mkdtemp(join(tmpdir(), "mpc-charts-"));
});

Deno.test.afterAll(() => rm(charts, { recursive: true }));

const CONFIG_MAP = `apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Release.Name }}-settings }
data: { level: {{ .Values.level | quote }} }
`;

const SCHEMA = JSON.stringify({
  type: "object",
  properties: { level: { type: "string", pattern: "^[a-z]+$" } },
});

/** Writes a chart with these files. */
async function writeChart(name: string, files: Readonly<Record<string, string>>): Promise<void> {
  const all = {
    "Chart.yaml": `{ apiVersion: v2, name: ${name.split("/").at(-1)}, version: 1.2.3 }`,
    "values.yaml": "level: info",
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    const full = join(charts, name, path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, text);
  }
}

function intentOf(name: string, values: JsonObject = {}, version = "1.2.3"): ChartIntent {
  const intent = aWorkloadIntent({ chart: { name, version, values } }, { revision: 4 });
  assert.ok(isChartIntent(intent));
  return intent;
}

const render = (
  intent: ChartIntent,
  options: Partial<HelmOptions> = {},
  { clock = systemClock, signal = new AbortController().signal } = {},
) =>
  new HelmCharts({
    options: { ...DEFAULT_HELM_OPTIONS, helm: program, chartsFolder: charts, ...options },
    clock,
  }).render(intent, { signal });

Deno.test("the objects of a chart get the workload's labels, namespace and values", async () => {
  await writeChart("team/web", { "templates/settings.yaml": CONFIG_MAP });
  const objects = await render(intentOf("team/web", { level: "debug" }));
  assert.deepEqual(objects, [{
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: "web-settings",
      namespace: "dev",
      labels: {
        "app.kubernetes.io/name": "web",
        "app.kubernetes.io/managed-by": "mpc",
        "mpc/environment": "dev",
        "mpc/workload": "web",
        "mpc/uid": intentOf("team/web").uid,
      },
    },
    data: { level: "debug" },
  }]);
});

Deno.test("a chart of 'helm create' is rendered with our labels and an ingress policy", async () => {
  await (await helm())(["create", join(charts, "made")]);
  const values = { ingress: { enabled: true }, autoscaling: { enabled: true } };
  const objects = await render(intentOf("made", values, "0.1.0"));
  assert.deepEqual(objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`), [
    "NetworkPolicy/web.ingress",
    "ServiceAccount/web-made",
    "Service/web-made",
    "Deployment/web-made",
    "HorizontalPodAutoscaler/web-made",
    "Ingress/web-made",
  ]);
  const deployment = objects.find(({ kind }) => kind === "Deployment");
  assert.equal(deployment?.metadata.annotations?.["mpc/revision"], "4");
  const labels = fieldAt(deployment, "spec", "template", "metadata", "labels");
  assert.equal(fieldAt(labels, "mpc/workload"), "web");
});

Deno.test("fields that the chart's schema rejects are named without their values", async () => {
  await writeChart("strict", { "values.schema.json": SCHEMA });
  const rendered = render(intentOf("strict", { level: "HUNTER2" }));
  const error = await rejectsWith(rendered, "INVALID_ARGUMENT", "CHART_VALUES_INVALID");
  assert.deepEqual(error.violations.map(({ field }) => field), [
    "workload.spec.chart.values.level",
  ]);
  assert.doesNotMatch(JSON.stringify([error.message, error.violations]), /HUNTER2/);
});

Deno.test("a template failure is located, without values", async () => {
  await writeChart("broken", { "templates/x.yaml": '{{ fail (printf "bad %s" .Values.level) }}' });
  const rendered = render(intentOf("broken", { level: "hunter2" }));
  const error = await rejectsWith(rendered, "FAILED_PRECONDITION", "CHART_FAILED");
  assert.match(error.message, /broken\/templates\/x\.yaml:1:\d+.*bad \(redacted\)/);
  assert.equal(error.retryable, false);
});

Deno.test("hooks, cluster-scoped kinds and CRDs are rejected unless allowed", async () => {
  const hook = CONFIG_MAP.replace(
    "settings }",
    'settings, annotations: {"helm.sh/hook": post-install} }',
  );
  await writeChart("hooked", { "templates/hook.yaml": hook });
  await rejectsWith(render(intentOf("hooked")), "FAILED_PRECONDITION", "CHART_HOOK_REFUSED");
  assert.equal((await render(intentOf("hooked"), { allowHooks: true })).length, 1);
  const crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n" +
    "metadata: { name: widgets.example.com }\n";
  await writeChart("wide", { "crds/widgets.yaml": crd });
  await rejectsWith(render(intentOf("wide")), "FAILED_PRECONDITION", "CHART_KIND_REFUSED");
  const kind = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" };
  const allowed = { allowedClusterKinds: [kind] };
  const [object] = await render(intentOf("wide"), allowed);
  assert.equal(object?.metadata.namespace, undefined);
});

Deno.test("a chart cannot see the worker's environment or the cluster", async () => {
  const settings = CONFIG_MAP.replace(
    "{{ .Values.level | quote }}",
    '{{ lookup "v1" "Secret" "dev" "keys" | toJson | quote }}',
  );
  await writeChart("curious", { "templates/x.yaml": settings });
  assert.deepEqual((await render(intentOf("curious")))[0]?.["data"], { level: "{}" });
  await writeChart("asking", { "templates/x.yaml": '{{ env "PATH" }}' });
  await rejectsWith(render(intentOf("asking")), "FAILED_PRECONDITION", "CHART_FAILED");
});

Deno.test("a missing chart version is reported with the existing one", async () => {
  await writeChart("web", {});
  await rejectsWith(render(intentOf("none")), "NOT_FOUND", "CHART_NOT_FOUND");
  const other = render(intentOf("web", {}, "2.0.0"));
  const error = await rejectsWith(other, "NOT_FOUND", "CHART_NOT_FOUND");
  assert.match(error.message, /has no version 2\.0\.0 of it, only 1\.2\.3/);
  const none = render(intentOf("web"), { chartsFolder: null });
  await rejectsWith(none, "FAILED_PRECONDITION", "CHARTS_UNSUPPORTED");
});

Deno.test("a chart may be an archive, or in an allowed registry", async () => {
  await writeChart("packed", { "templates/settings.yaml": CONFIG_MAP });
  await (await helm())(["package", join(charts, "packed"), "--destination", charts]);
  await rm(join(charts, "packed"), { recursive: true });
  assert.equal((await render(intentOf("packed"))).length, 1);
  const archive = new Uint8Array(await readFile(join(charts, "packed-1.2.3.tgz")));
  const registry = startOciRegistry({ name: "packed", version: "1.2.3", archive });
  const cacheFolder = await mkdtemp(join(tmpdir(), "mpc-helm-"));
  try {
    const intent = intentOf(`${registry.url}/packed`);
    await rejectsWith(render(intent), "PERMISSION_DENIED", "CHART_REPOSITORY_REFUSED");
    const allowed = { repositories: [`${registry.url}/`], cacheFolder };
    assert.equal((await render(intent, allowed)).length, 1);
    const missing = intentOf(`${registry.url}/other`);
    await rejectsWith(render(missing, allowed), "FAILED_PRECONDITION", "CHART_FAILED");
  } finally {
    await registry.stop();
    await rm(cacheFolder, { recursive: true });
  }
});

Deno.test("the output of a chart is limited", async () => {
  const large = `{{ range until 2000 }}# ${"x".repeat(100)}\n{{ end }}`;
  await writeChart("large", { "templates/x.yaml": `${CONFIG_MAP}${large}` });
  const rendered = render(intentOf("large"), { maxOutputBytes: 10_000 });
  await rejectsWith(rendered, "FAILED_PRECONDITION", "CHART_TOO_LARGE");
});

Deno.test("a missing helm is reported with what to do", async () => {
  const rendered = render(intentOf("web"), { helm: join(charts, "no-helm") });
  const error = await rejectsWith(rendered, "FAILED_PRECONDITION", "HELM_MISSING");
  assert.match(error.message, /install Helm 3/);
});

/** A clock that reports the beginning of a sleep. */
class WatchedClock extends FakeClock {
  readonly isWaitedFor = Promise.withResolvers<void>();

  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.isWaitedFor.resolve();
    return super.sleep(ms, signal);
  }
}

Deno.test("a hanging helm is killed at the timeout, and when the caller aborts", async () => {
  const hanging = join(charts, "hanging-helm");
  await writeFile(hanging, "#!/bin/sh\ntrap '' TERM\nexec sleep 600\n");
  await chmod(hanging, 0o755);
  const hangs = { helm: hanging, timeoutMs: 5_000 };
  const slowly = new WatchedClock();
  const late = rejectsWith(
    render(intentOf("web"), hangs, { clock: slowly }),
    "DEADLINE_EXCEEDED",
    "HELM_TIMEOUT",
  );
  await slowly.isWaitedFor.promise;
  await slowly.advance(5_000);
  assert.equal((await late).retryable, true);
  const caller = new AbortController();
  const clock = new WatchedClock();
  const left = rejectsWith(
    render(intentOf("web"), hangs, { clock, signal: caller.signal }),
    "CANCELLED",
    "ABORTED_BY_CALLER",
  );
  await clock.isWaitedFor.promise;
  caller.abort();
  await left;
});
