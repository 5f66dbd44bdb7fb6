/** The number of API requests for many environments at once. */
import assert from "node:assert/strict";
import { createClient } from "@connectrpc/connect";
import { EnvironmentService, OperationService, OperationState, WorkloadService } from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import type { AuditedRequest, KubeApiServer } from "../servers/kube_api_server.ts";
import { startKwokCluster } from "../servers/kwok_cluster.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { type PlatformProcess, startPlatform } from "../servers/platform_process.ts";

const ENVIRONMENTS = 120;
const WORKLOADS = ["web", "api", "jobs"];
const USER = "mpc";

/**
 * The most API requests per operation, lists and watches of the shared caches included:
 * - a create reads its namespace, lists the four kinds of policies, which may have objects of somebody
 *   else, and writes seven objects (12)
 * - a deploy reads and writes its Deployment and lists what it becomes (3). It shares the list of its
 *   namespace's quotas with the other two, if they are deployed at the same moment (3.3 to 4). Events
 *   are read only of a pod that was scheduled and is not ready after two seconds
 * - a delete lists the five kinds that own pods, deletes three Deployments, reads the namespace and
 *   deletes it (10). It waits on the watches
 */
const REQUESTS_PER_OPERATION = { create: 12.5, deploy: 4.5, delete: 10.5 };

/** The control plane, the platform and its API. */
const PATIENCE_MS = 600_000;

let folder: string;
let cluster: KubeApiServer;
let platform: PlatformProcess;

Deno.test.beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "mpc-scale-" });
  cluster = await startKwokCluster(folder, 10);
  const kubeconfig = await cluster.kubeconfigOf({ name: USER, groups: ["system:masters"] });
  const clusters = `${folder}/clusters.yaml`;
  const settings = { name: "default", kubeconfig, requestsPerSecond: 1_000 };
  await Deno.writeTextFile(clusters, JSON.stringify({ clusters: [settings] }));
  platform = await startPlatform(["--ephemeral", "--clusters-file", clusters]);
});

Deno.test.afterAll(async () => {
  await platform?.stop();
  await cluster?.stop();
  await Deno.remove(folder, { recursive: true });
});

/** Runs operations concurrently to their ends. @returns the number of API requests */
async function phase(
  name: string,
  operations: ReturnType<typeof createClient<typeof OperationService>>,
  starts: readonly (() => Promise<{ readonly name: string }>)[],
): Promise<{ readonly perOperation: number; readonly watches: number }> {
  const before = (await cluster.requestsOf(USER)).length;
  const began = performance.now();
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const ended = await Promise.all(starts.map(async (start) => {
    const { name } = await start();
    return await operations.waitOperation({ name }, { signal });
  }));
  const seconds = (performance.now() - began) / 1_000;
  const failed = ended.filter(({ state }) => state !== OperationState.SUCCEEDED);
  assert.deepEqual(failed.map(({ target, error }) => [target, error?.message]), []);
  const requests = (await cluster.requestsOf(USER)).slice(before);
  const perOperation = requests.length / starts.length;
  const watches = requests.filter(({ verb }) => verb === "watch").length;
  console.log(
    `${name}: ${starts.length} operations in ${seconds.toFixed(1)} s, ` +
      `${perOperation.toFixed(1)} requests each (${summary(requests)})`,
  );
  return { perOperation, watches };
}

function summary(requests: readonly AuditedRequest[]): string {
  const counts = Map.groupBy(requests, ({ verb, resource }) => `${verb} ${resource}`);
  return [...counts].map(([verb, { length }]) => `${verb} ${length}`).join(", ");
}

const TITLE = `${ENVIRONMENTS} environments share watches and need few requests`;

// A busy platform logs what it tries again, and its log is read since before the test.
Deno.test(TITLE, NO_SANITIZERS, async (t) => {
  const transport = createGrpcTransport(platform.grpc);
  const environments = createClient(EnvironmentService, transport);
  const workloads = createClient(WorkloadService, transport);
  const operations = createClient(OperationService, transport);
  const ids = Array.from({ length: ENVIRONMENTS }, (_, index) => `e-${index}`);
  try {
    let watches = 0;
    const measured = async (
      kind: keyof typeof REQUESTS_PER_OPERATION,
      starts: readonly (() => Promise<{ readonly name: string }>)[],
    ) => {
      await t.step(`${kind}: ${starts.length} operations at once`, async () => {
        const cost = await phase(kind, operations, starts);
        watches += cost.watches;
        const most = REQUESTS_PER_OPERATION[kind];
        assert.ok(cost.perOperation <= most, `${cost.perOperation} requests, at most ${most}`);
      });
    };
    await measured(
      "create",
      ids.map((environmentId) => () =>
        environments.createEnvironment({ environmentId, environment: {} })
      ),
    );
    await measured(
      "deploy",
      ids.flatMap((id) =>
        WORKLOADS.map((workloadId) => () =>
          workloads.deployWorkload({
            parent: `environments/${id}`,
            workloadId,
            workload: { spec: { image: "nginx:1.27" } },
          })
        )
      ),
    );
    await measured(
      "delete",
      ids.map((id) => () =>
        environments.deleteEnvironment({ name: `environments/${id}`, force: true })
      ),
    );
    await t.step("there is a watch for each kind, and none for each workload", () => {
      assert.ok(watches < 50, `${watches} watches began`);
    });
  } finally {
    transport.close();
  }
});
