import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { EnvironmentService, OperationService, OperationState, WorkloadService } from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { openWorld } from "../e2e/mpctl_world.ts";
import { goToolVersion } from "../servers/go_tool.ts";
import { helm } from "../servers/helm.ts";
import { startKindCluster } from "../servers/kind_cluster.ts";
import { kubectlOf } from "../servers/kubectl.ts";
import { startKwokCluster } from "../servers/kwok_cluster.ts";
import { startPlatform } from "../servers/platform_process.ts";
import type { BenchRow } from "./bench_row.ts";
import { quantile, timed } from "./measure.ts";

const CHART = new URL("../../deploy/charts/workload", import.meta.url).pathname;
const IMAGE = "nginx:1.27";
const VALUES = ["--set", `image=${IMAGE},uid=bench`];
const DEPLOYS = 9;
const DELETIONS = 5;
const AT_ONCE = 100;
const HELM_LOOPS = 8;

/** Deploying and deleting on clusters, compared with kubectl and helm for the same objects. */
export async function run(): Promise<BenchRow[]> {
  return [...await onRealCluster(), ...await onNodesThatPretend()];
}

async function onRealCluster(): Promise<BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "mpc-bench-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const { kubeconfig, stop } = await startKindCluster(folder);
  stack.defer(stop);
  const world = stack.use(await openWorld({ platformArgs: ["--kubeconfig", kubeconfig] }));
  const kubectl = await kubectlOf(kubeconfig);
  const runHelm = await helm({ KUBECONFIG: kubeconfig });
  const mpctl = async (...args: string[]) => {
    const { code, err } = await world.mpctl(...args);
    if (code !== 0) throw new Error(`mpctl ${args.join(" ")} failed: ${err}`);
  };
  const rendered = (name: string, namespace: string) =>
    runHelm([
      ...["template", name, CHART, "--namespace", namespace],
      ...["--kube-version", goToolVersion("kubelet"), ...VALUES],
    ]);

  await mpctl("env", "create", "bench");
  await kubectl(["create", "namespace", "by-kubectl"]);
  await kubectl(["create", "namespace", "by-helm"]);
  for (const namespace of ["by-kubectl", "by-helm"]) {
    await kubectl(["create", "serviceaccount", "workloads", "-n", namespace]);
  }
  const deploys: Record<string, number[]> = {};
  for (let round = 0; round <= DEPLOYS; round++) {
    const name = `web-${round}`;
    const manifest = await rendered(name, "by-kubectl");
    const ways = {
      mpctl: () => mpctl("workload", "deploy", name, "--env", "bench", "--image", IMAGE),
      kubectl: async () => {
        await kubectl(["apply", "-n", "by-kubectl", "-f", "-"], manifest);
        await kubectl(["rollout", "status", `deployment/${name}`, "-n", "by-kubectl"]);
      },
      helm: () =>
        runHelm([
          ...["upgrade", name, CHART, "--install", "--wait", "--namespace", "by-helm"],
          ...VALUES,
        ]),
    };
    for (const [way, deploy] of Object.entries(ways)) {
      const ms = await timed(deploy);
      // The first round warms up.
      if (round > 0) (deploys[way] ??= []).push(ms);
    }
  }
  const deletions: Record<string, number[]> = {};
  for (let round = 0; round < DELETIONS; round++) {
    const [environment, namespace] = [`env-${round}`, `ns-${round}`];
    await mpctl("env", "create", environment);
    await mpctl("workload", "deploy", "web", "--env", environment, "--image", IMAGE);
    await kubectl(["create", "namespace", namespace]);
    await kubectl(["create", "serviceaccount", "workloads", "-n", namespace]);
    await kubectl(["apply", "-n", namespace, "-f", "-"], await rendered("web", namespace));
    await kubectl(["rollout", "status", "deployment/web", "-n", namespace]);
    const ways = {
      mpctl: () => mpctl("env", "delete", environment, "--force"),
      kubectl: () => kubectl(["delete", "namespace", namespace]),
    };
    for (const [way, remove] of Object.entries(ways)) {
      (deletions[way] ??= []).push(await timed(remove));
    }
  }
  const deployed = (way: string) => quantile(deploys[way]!);
  const deleted = (way: string) => quantile(deletions[way]!);
  return [
    {
      name: "mpctl workload deploy, one pod, p50",
      value: deployed("mpctl"),
      unit: "ms",
      reference: `kubectl apply and rollout status (${deployed("kubectl").toFixed(0)} ms)`,
      ratio: deployed("mpctl") / deployed("kubectl"),
      target: { max: 1.15 },
    },
    {
      name: "mpctl workload deploy, one pod, p50",
      value: deployed("mpctl"),
      unit: "ms",
      reference: `helm upgrade --install --wait (${deployed("helm").toFixed(0)} ms)`,
      ratio: deployed("mpctl") / deployed("helm"),
      target: { max: 0.8 },
    },
    {
      name: "mpctl env delete, one workload, p50",
      value: deleted("mpctl"),
      unit: "ms",
      reference: `kubectl delete namespace (${deleted("kubectl").toFixed(0)} ms)`,
      ratio: deleted("mpctl") / deleted("kubectl"),
      target: { max: 0.8 },
    },
  ];
}

async function onNodesThatPretend(): Promise<BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "mpc-bench-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const { kubeconfig, stop } = await startKwokCluster(folder, 4);
  stack.defer(stop);
  const platform = await startPlatform(["--ephemeral", "--kubeconfig", kubeconfig]);
  stack.defer(() => platform.stop());
  const transport = createGrpcTransport(platform.grpc);
  stack.defer(() => transport.close());
  const environments = createClient(EnvironmentService, transport);
  const operations = createClient(OperationService, transport);
  const workloads = createClient(WorkloadService, transport);
  const ended = async ({ name }: { readonly name: string }) => {
    const { state, error } = await operations.waitOperation({ name });
    if (state !== OperationState.SUCCEEDED) throw new Error(error?.message);
  };
  await ended(await environments.createEnvironment({ environmentId: "bench", environment: {} }));
  const names = Array.from({ length: AT_ONCE }, (_, index) => `web-${index}`);
  const ms = await timed(() =>
    Promise.all(names.map(async (workloadId) =>
      ended(
        await workloads.deployWorkload({
          parent: "environments/bench",
          workloadId,
          workload: { spec: { image: IMAGE } },
        }),
      )
    ))
  );
  const kubectl = await kubectlOf(kubeconfig);
  const runHelm = await helm({ KUBECONFIG: kubeconfig });
  await kubectl(["create", "namespace", "by-helm"]);
  await kubectl(["create", "serviceaccount", "workloads", "-n", "by-helm"]);
  const left = [...names];
  const helmMs = await timed(() =>
    Promise.all(Array.from({ length: HELM_LOOPS }, async () => {
      for (let name = left.pop(); name !== undefined; name = left.pop()) {
        await runHelm([
          ...["upgrade", name, CHART, "--install", "--wait", "--namespace", "by-helm"],
          ...VALUES,
        ]);
      }
    }))
  );
  const rate = (ms: number) => AT_ONCE / (ms / 1_000);
  return [{
    name: `${AT_ONCE} workloads at once, on nodes that pretend`,
    value: rate(ms),
    unit: "/s",
    reference: `${HELM_LOOPS} loops of helm upgrade --install --wait (${
      rate(helmMs).toFixed(1)
    }/s)`,
    ratio: rate(ms) / rate(helmMs),
    target: { min: 2 },
  }];
}
