/**
 * What mpctl says about changes by others on a real API server, and its remedies, run as they are
 * printed.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type AllInOne, startAllInOne } from "@mpc/api";
import { openInstallation } from "../../platform/open_installation.ts";
import { systemClock, systemIds } from "@mpc/process";
import { DriftWatch } from "@mpc/worker";
import { bundleMpctl } from "../../cli/build/bundle.ts";
import { openClusters } from "../../worker/providers/kubernetes/mod.ts";
import { mpctlCommand } from "../e2e/mpctl_world.ts";
import { QUIET_CONFIG } from "../fakes/quiet_config.ts";
import { type Kubectl, kubectlOf } from "../servers/kubectl.ts";
import type { KubeApiServer } from "../servers/kube_api_server.ts";
import { startKwokCluster } from "../servers/kwok_cluster.ts";
import { type Result, runCommand } from "../servers/run_command.ts";

interface World {
  readonly mpctl: (...args: readonly string[]) => Promise<Result>;
  readonly kubectl: Kubectl;
  /** Runs a command as it was printed, words in quotes included. */
  readonly run: (printed: string) => Promise<void>;
  /** Compares everything once, as the worker does every five minutes. */
  readonly watchOnce: () => Promise<void>;
}

async function withWorld(use: (world: World) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mpc-remedies-" });
  let cluster: KubeApiServer | undefined;
  let platform: AllInOne | undefined;
  try {
    cluster = await startKwokCluster(folder, 1);
    const clusters = [{
      name: "default",
      kubeconfig: cluster.kubeconfig,
      context: null,
      requestsPerSecond: 1_000,
    }];
    platform = await startAllInOne({ ...QUIET_CONFIG, clusters });
    const { store, webAddress: { host, port } } = platform;
    const bundle = join(folder, "mpctl.js");
    await bundleMpctl(bundle);
    const env = { NO_COLOR: "1", MPC_CONFIG: join(folder, "config.yaml") };
    const server = ["--server", `http://${host}:${port}`];
    const mpctl = (...args: readonly string[]) =>
      runCommand([...mpctlCommand(bundle), ...args, ...server], { env });
    const kubectl = await kubectlOf(cluster.kubeconfig);
    await use({
      mpctl,
      kubectl,
      async run(printed) {
        const [program, ...args] = (printed.match(/'[^']*'|\S+/g) ?? [])
          .map((word) => word.replaceAll("'", ""));
        if (program === "kubectl") return void await kubectl(args);
        assert.equal(program, "mpctl", printed);
        const { code, err } = await mpctl(...args);
        assert.equal(code, 0, `${printed}: ${err}`);
      },
      async watchOnce() {
        const clock = systemClock;
        const installation = await openInstallation(store, { clock, ids: systemIds });
        const provider = await openClusters(clusters, {
          store,
          clock,
          ids: systemIds,
          installation,
          charts: null,
          findCluster: () => Promise.resolve("default"),
        });
        const { signal } = new AbortController();
        await new DriftWatch({ store, provider, clock, signal }).pass();
        await provider.close();
      },
    });
  } finally {
    await platform?.close();
    await cluster?.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

/** What others do, and what doctor says of it. */
const MEDDLED: readonly (readonly [string, readonly (readonly string[])[], readonly RegExp[]])[] = [
  [
    "a deleted Deployment",
    [["delete", "deployment", "web", "-n", "dev"]],
    [/RESOURCE_DRIFTED environments\/dev\/workloads\/web\n {4}Deployment\/dev\/web is missing/],
  ],
  [
    "another image, set by kubectl",
    [["set", "image", "deployment/web", "web=localhost/other:1", "-n", "dev"]],
    [/Deployment\/dev\/web has spec\.template\.spec\.containers\[web\]\.image "localhost\/other:1"/],
  ],
  [
    "labels and policies of the environment",
    [
      ["label", "namespace", "dev", "--overwrite", "team=other"],
      ["delete", "networkpolicy", "isolation", "-n", "dev"],
      [
        ...["patch", "resourcequota", "quota", "-n", "dev", "--type=merge", "-p"],
        '{"spec":{"hard":{"requests.cpu":"400"}}}',
      ],
    ],
    [
      /RESOURCE_DRIFTED environments\/dev\n/,
      /Namespace\/dev has metadata\.labels\.team "other" in place of "web"/,
      /NetworkPolicy\/dev\/isolation is missing/,
      /ResourceQuota\/dev\/quota has spec\.hard\[requests\.cpu\] "400" in place of "4"/,
    ],
  ],
  [
    "all objects of a workload",
    [["delete", "deployment,service", "--all", "-n", "dev"]],
    [/RECORD_WITHOUT_OBJECT environments\/dev\/workloads\/web/],
  ],
  [
    "a deleted namespace",
    [["delete", "namespace", "dev"]],
    [
      /RECORD_WITHOUT_OBJECT environments\/dev\n/,
      /RECORD_WITHOUT_OBJECT environments\/dev\/workloads\/web/,
    ],
  ],
  [
    "a namespace without the label of its record",
    [["label", "namespace", "dev", "mpc/uid-"]],
    [/Namespace\/dev has metadata\.labels\[mpc\/uid\] unset in place of/],
  ],
];

Deno.test({
  name: "doctor and get say what others have changed, and the printed commands revert it",
  // Fetches and processes may leave pending operations.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: (t) =>
    withWorld(async ({ mpctl, kubectl, run, watchOnce }) => {
      for (
        const args of [
          ["env", "create", "dev", "--label", "team=web", "--max-cpu", "4"],
          [
            "workload",
            "deploy",
            "web",
            "--env",
            "dev",
            "--image",
            "localhost/nginx:1",
            "--port",
            "80",
          ],
        ]
      ) {
        const { code, err } = await mpctl(...args);
        assert.equal(code, 0, err);
      }
      const sound = async () => {
        const { code, out } = await mpctl("doctor");
        assert.equal(code, 0, out);
        assert.match(out, /✓ every object on a cluster is as it was applied/);
      };
      await sound();
      for (const [what, commands, expected] of MEDDLED) {
        await t.step(`doctor: ${what}`, async () => {
          for (const command of commands) await kubectl(command);
          const { code, out } = await mpctl("doctor");
          assert.equal(code, 1, out);
          for (const pattern of expected) assert.match(out, pattern);
          for (const [, repair = ""] of out.matchAll(/repair: (.*)/g)) await run(repair);
          await sound();
        });
      }
      await t.step("list, get and explain, after a pass of the watch", async () => {
        await kubectl(["delete", "service,deployment", "--all", "-n", "dev"]);
        await kubectl(["delete", "limitrange", "limits", "-n", "dev"]);
        await watchOnce();
        for (const noun of [["env", "dev"], ["workload", "web", "--env", "dev"]]) {
          const [kind = "", id = "", ...flags] = noun;
          const list = await mpctl(kind, "list", ...flags);
          assert.match(list.out, /READY,Drifted/);
          const { out } = await mpctl(kind, "get", id, ...flags);
          assert.match(out, /READY,Drifted[\s\S]*\nDrifted: .* is missing.*\nWho must act: caller/);
          const [, operation = ""] = /"lastOperation": "operations\/([^"]+)"/.exec(
            (await mpctl(kind, "get", id, ...flags, "-o", "json")).out,
          ) ?? [];
          const explained = await mpctl("op", "explain", operation);
          assert.match(explained.out, /since then the cluster differs: .* is missing/);
          const [, remedy = ""] = /to revert it, run '([^']+)'/.exec(out) ?? [];
          assert.match(explained.out, new RegExp(`Next: ${remedy}\n`));
          await run(remedy);
          assert.doesNotMatch((await mpctl(kind, "get", id, ...flags)).out, /Drifted/);
        }
        await sound();
      });
    }),
});
