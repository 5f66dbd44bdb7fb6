/**
 * Creates an environment and deploys a workload into a fake Kubernetes cluster in one trace, then
 * deploys it again in another; prints the annotations of its objects after each, as JSON.
 */
import { NO_QUOTA } from "@mpc/domain";
import { contextOf, inSpan, outsideTraces } from "@mpc/process";
import { tracedKubeClient, tracedProvider } from "@mpc/telemetry";
import { KubernetesProvider } from "../../worker/providers/kubernetes/mod.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { FakeCluster } from "../fakes/kubernetes/fake_cluster.ts";
import { live, workload } from "../fakes/kubernetes/fake_cluster_world.ts";

const clock = new FakeClock();
const cluster = new FakeCluster(clock);
const provider = tracedProvider(
  new KubernetesProvider({
    client: tracedKubeClient(cluster.client),
    clock,
    installation: "test",
    charts: null,
  }),
);
const dev = { environment: "dev", uid: "uid-dev", cluster: "default", labels: {}, quota: NO_QUOTA };
const traceOf = (digit: string) => contextOf(`00-${digit.repeat(32)}-${digit.repeat(16)}-01`);

function print(): void {
  const objects = [
    ...cluster.client.server.list({ apiVersion: "v1", kind: "Namespace" }),
    ...cluster.client.server.list({ apiVersion: "apps/v1", kind: "Deployment" }),
  ];
  console.log(JSON.stringify(
    objects.map(({ kind, metadata: { name, annotations, resourceVersion } }) => ({
      object: `${kind}/${name}`,
      trace: annotations?.["mpc/traceparent"]?.split("-")[1] ?? null,
      resourceVersion,
    })),
  ));
}

await outsideTraces(async () => {
  await inSpan("first", {}, async () => {
    await provider.applyNamespace(dev, live());
    await provider.applyPolicies(dev, live());
    await provider.applyWorkload(workload("web"), live());
  }, traceOf("a"));
  print();
  await inSpan("second", {}, async () => {
    await provider.applyNamespace(dev, live());
    await provider.applyPolicies(dev, live());
    await provider.applyWorkload(workload("web"), live());
    const drift = [
      ...await provider.environmentDrift(dev, live()),
      ...await provider.drift(workload("web"), live()),
    ];
    console.log(JSON.stringify(drift));
  }, traceOf("b"));
  print();
});
await provider.close();
await cluster.close();
