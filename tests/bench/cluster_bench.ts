import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OpenWorld, openWorld } from "../e2e/mpctl_world.ts";
import { goToolVersion } from "../servers/go_tool.ts";
import { helm } from "../servers/helm.ts";
import { startKindCluster } from "../servers/kind_cluster.ts";
import { type Kubectl, kubectlOf } from "../servers/kubectl.ts";
import { startKwokCluster } from "../servers/kwok_cluster.ts";
import type { BenchRow } from "./bench_row.ts";
import { intervalNote, shuffled } from "./interval.ts";
import { quantile, timed } from "./measure.ts";

const CHART = new URL("../../deploy/charts/workload", import.meta.url).pathname;
const IMAGE = "nginx:1.27";
const VALUES = ["--set", `image=${IMAGE},uid=bench`];
const DEPLOYS = 30;
const DELETIONS = 30;
/** How many deletions of each kind run at once: they wait most of the time. */
const DELETIONS_AT_ONCE = 5;
const AT_ONCE = 50;
const AT_ONCE_ROUNDS = 6;
const HELM_LOOPS = 8;

/** On a busy machine there are fewer rounds, at least one, which the notes say. */
const LONGEST_MS = { deploys: 240_000, deletions: 150_000, atOnce: 150_000 };

/** Readiness comes in steps of a second, so each start has a random distance from the last one. */
const LONGEST_PAUSE_MS = 1_000;

type Ways = Readonly<Record<string, () => Promise<unknown>>>;
type Times = Record<string, number[]>;

/**
 * Deploying and deleting on clusters by processes of mpctl, compared with kubectl and helm for the
 * same objects. The ways take turns in random order, after random pauses.
 */
export async function run(): Promise<BenchRow[]> {
  const onReal = await onRealCluster();
  return [...onReal, ...await onNodesThatPretend()];
}

async function onRealCluster(): Promise<BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "mpc-bench-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const { kubeconfig, stop } = await startKindCluster(folder);
  stack.defer(stop);
  const tools = await toolsFor(kubeconfig, stack);
  const deployed = await deployments(tools);
  const deleted = await deletions(tools);
  return [
    row("mpctl workload deploy, one pod, p50", deployed, "mpctl", "kubectl", {
      reference: "kubectl apply and rollout status",
      max: 1.15,
    }),
    row("mpctl workload deploy, one pod, p50", deployed, "mpctl", "helm", {
      reference: "helm upgrade --install --wait",
      max: 0.8,
    }),
    row("mpctl env delete, one workload, p50", deleted, "mpctl", "kubectl", {
      reference: "kubectl delete namespace",
      max: 0.65,
    }),
  ];
}

interface Tools {
  readonly mpctl: (...args: string[]) => Promise<void>;
  readonly kubectl: Kubectl;
  readonly runHelm: Awaited<ReturnType<typeof helm>>;
  readonly world: OpenWorld;
}

async function toolsFor(kubeconfig: string, stack: AsyncDisposableStack): Promise<Tools> {
  const world = stack.use(await openWorld({ platformArgs: ["--kubeconfig", kubeconfig] }));
  return {
    world,
    kubectl: await kubectlOf(kubeconfig),
    runHelm: await helm({ KUBECONFIG: kubeconfig }),
    mpctl: async (...args) => {
      const { code, err } = await world.mpctl(...args);
      if (code !== 0) throw new Error(`mpctl ${args.join(" ")} failed: ${err}`);
    },
  };
}

const rendered = ({ runHelm }: Tools, name: string, namespace: string): Promise<string> =>
  runHelm([
    ...["template", name, CHART, "--namespace", namespace],
    ...["--kube-version", goToolVersion("kubelet"), ...VALUES],
  ]);

/** A namespace with what the chart expects of an environment. */
async function aNamespace({ kubectl }: Tools, namespace: string): Promise<void> {
  await kubectl(["create", "namespace", namespace]);
  await kubectl(["create", "serviceaccount", "workloads", "-n", namespace]);
}

const byHelm = ({ runHelm }: Tools, name: string) =>
  runHelm([
    ...["upgrade", name, CHART, "--install", "--wait", "--namespace", "by-helm"],
    ...VALUES,
  ]);

async function deployments(tools: Tools): Promise<Times> {
  const { mpctl, kubectl } = tools;
  await mpctl("env", "create", "bench");
  await aNamespace(tools, "by-kubectl");
  await aNamespace(tools, "by-helm");
  const times: Times = {};
  const deployed: string[] = [];
  const end = performance.now() + LONGEST_MS.deploys;
  for (let round = 0; round <= DEPLOYS && (round < 2 || performance.now() < end); round++) {
    const name = `web-${round}`;
    const manifest = await rendered(tools, name, "by-kubectl");
    const ways: Ways = {
      mpctl: () => mpctl("workload", "deploy", name, "--env", "bench", "--image", IMAGE),
      kubectl: async () => {
        await kubectl(["apply", "-n", "by-kubectl", "-f", "-"], manifest);
        await kubectl(["rollout", "status", `deployment/${name}`, "-n", "by-kubectl"]);
      },
      helm: () => byHelm(tools, name),
    };
    // The first round warms up.
    await inTurns(ways, round > 0 ? times : {});
    deployed.push(name);
    // A node runs 110 pods at most.
    if (deployed.length === 10) await remove(tools, deployed.splice(0));
  }
  await remove(tools, deployed);
  return times;
}

async function remove({ mpctl, kubectl, runHelm }: Tools, names: string[]): Promise<void> {
  if (names.length === 0) return;
  await Promise.all([
    ...names.map((name) => mpctl("workload", "delete", name, "--env", "bench")),
    kubectl(["delete", "deployment", ...names, "-n", "by-kubectl"]),
    runHelm(["uninstall", ...names, "--namespace", "by-helm"]),
  ]);
}

async function inTurns(ways: Ways, times: Times): Promise<void> {
  for (const [way, act] of shuffled(Object.entries(ways))) {
    await randomPause();
    (times[way] ??= []).push(await timed(act));
  }
}

const randomPause = (): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.random() * LONGEST_PAUSE_MS));

async function deletions(tools: Tools): Promise<Times> {
  const { mpctl, kubectl } = tools;
  const times: Times = {};
  const end = performance.now() + LONGEST_MS.deletions;
  for (
    let done = 0;
    done < DELETIONS && (done === 0 || performance.now() < end);
    done += DELETIONS_AT_ONCE
  ) {
    const indices = Array.from({ length: DELETIONS_AT_ONCE }, (_, index) => done + index);
    await Promise.all(indices.map(async (index) => {
      const [environment, namespace] = [`env-${index}`, `ns-${index}`];
      await mpctl("env", "create", environment);
      await mpctl("workload", "deploy", "web", "--env", environment, "--image", IMAGE);
      await aNamespace(tools, namespace);
      const manifest = await rendered(tools, "web", namespace);
      await kubectl(["apply", "-n", namespace, "-f", "-"], manifest);
      await kubectl(["rollout", "status", "deployment/web", "-n", namespace]);
    }));
    const ways = indices.flatMap((index) => [
      ["mpctl", () => mpctl("env", "delete", `env-${index}`, "--force")] as const,
      ["kubectl", () => kubectl(["delete", "namespace", `ns-${index}`])] as const,
    ]);
    await Promise.all(
      shuffled(ways).map(async ([way, remove]) => {
        await randomPause();
        (times[way] ??= []).push(await timed(remove));
      }),
    );
  }
  return times;
}

async function onNodesThatPretend(): Promise<BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "mpc-bench-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const { kubeconfig, stop } = await startKwokCluster(folder, 4);
  stack.defer(stop);
  const tools = await toolsFor(kubeconfig, stack);
  const { mpctl, kubectl, runHelm } = tools;
  await aNamespace(tools, "by-helm");
  const times: Times = {};
  const end = performance.now() + LONGEST_MS.atOnce;
  for (let round = 0; round <= AT_ONCE_ROUNDS && (round < 2 || performance.now() < end); round++) {
    const [one, other] = [`one-${round}`, `file-${round}`];
    await mpctl("env", "create", one);
    await mpctl("env", "create", other);
    const names = Array.from({ length: AT_ONCE }, (_, index) => `web-${round}-${index}`);
    const file = join(folder, `${other}.yaml`);
    await writeFile(file, names.map((name) => resource(other, name)).join("---\n"));
    const ways: Ways = {
      processes: () =>
        Promise.all(
          names.map((name) => mpctl("workload", "deploy", name, "--env", one, "--image", IMAGE)),
        ),
      file: () => mpctl("apply", "-f", file),
      helm: () => inLoops(names, (name) => byHelm(tools, name)),
    };
    // The first round warms up.
    await inTurns(ways, round > 0 ? times : {});
    // What is left would slow the next round down.
    await mpctl("env", "delete", one, "--force");
    await mpctl("env", "delete", other, "--force");
    await runHelm(["uninstall", ...names, "--namespace", "by-helm"]);
    await kubectl(["wait", "pods", "--all", "-n", "by-helm", "--for=delete", "--timeout=60s"]);
  }
  const options = { reference: `${HELM_LOOPS} loops of helm upgrade --install --wait`, min: 2 };
  return [
    atOnce(`${AT_ONCE} processes of mpctl workload deploy at once`, times, "processes", options),
    atOnce(`mpctl apply -f of ${AT_ONCE} workloads`, times, "file", options),
  ];
}

const resource = (environment: string, name: string): string =>
  `name: environments/${environment}/workloads/${name}\nspec: { image: "${IMAGE}" }\n`;

/** Runs an action for all items, a few at a time. */
async function inLoops(
  items: readonly string[],
  act: (item: string) => Promise<unknown>,
): Promise<void> {
  const left = [...items];
  await Promise.all(Array.from({ length: HELM_LOOPS }, async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await act(item);
  }));
}

function row(
  name: string,
  times: Times,
  way: string,
  against: string,
  { reference, max }: { readonly reference: string; readonly max: number },
): BenchRow {
  const [own, other] = [times[way]!, times[against]!];
  return {
    name,
    value: quantile(own),
    unit: "ms",
    reference: `${reference} (${quantile(other).toFixed(0)} ms)`,
    ratio: quantile(own) / quantile(other),
    target: { max },
    note: intervalNote(own, other),
  };
}

/** A row about rates: the ratio is that of helm's time to ours. */
function atOnce(
  name: string,
  times: Times,
  way: string,
  { reference, min }: { readonly reference: string; readonly min: number },
): BenchRow {
  const rate = (ms: number) => AT_ONCE / (ms / 1_000);
  const [own, byHelm] = [times[way]!, times["helm"]!];
  return {
    name,
    value: rate(quantile(own)),
    unit: "/s",
    reference: `${reference} (${rate(quantile(byHelm)).toFixed(1)}/s)`,
    ratio: quantile(byHelm) / quantile(own),
    target: { min },
    note: intervalNote(byHelm, own),
  };
}
