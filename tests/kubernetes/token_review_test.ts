/** Callers that a real API server vouches for: TokenReview by the API, through a worker. */
import assert from "node:assert/strict";
import { Code, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { systemClock, systemIds } from "@mpc/process";
import { AccessService, AuthenticationMethod, EnvironmentService } from "@mpc/proto";
import { createPlanner } from "@mpc/services/sagas";
import { openMemoryStore } from "@mpc/storage/memory";
import { WorkerCluster } from "../../api/cluster/worker_cluster.ts";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { serveInternal } from "../../worker/internal/serve_internal.ts";
import { openClusters } from "../../worker/providers/kubernetes/mod.ts";
import { failure } from "../api/doors.ts";
import { withGuardedDoors } from "../api/guarded_doors.ts";
import { eventually } from "../servers/eventually.ts";
import { type KubeApiServer, startKubeApiServer } from "../servers/kube_api_server.ts";
import { type Kubectl, kubectlOf } from "../servers/kubectl.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";

const ROLE = new URL("../../deploy/kubernetes/worker_role.yaml", import.meta.url).pathname;

const GROUPS = ["system:serviceaccounts", "system:serviceaccounts:mpc-system"];

const FILE = `
authentication:
  serviceAccounts:
    - {issuer: https://kubernetes.default.svc, audience: mpc, cluster: test}
bindings:
  - {role: viewer, groups: ["system:serviceaccounts:ci"]}
  - {role: deployer, principals: ["serviceaccount:ci:deployer"], environments: {names: [dev]}}
`;

let folder: string;
let server: KubeApiServer;
let kubectl: Kubectl;

Deno.test.beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "mpc-reviews-" });
  server = await startKubeApiServer(folder);
  kubectl = await kubectlOf(server.kubeconfig);
  await kubectl(["create", "namespace", "ci"]);
  await kubectl(["create", "serviceaccount", "deployer", "--namespace=ci"]);
});

Deno.test.afterAll(async () => {
  await server?.stop();
  await Deno.remove(folder, { recursive: true });
});

const tokenOf = async (...args: readonly string[]): Promise<string> =>
  (await kubectl(["create", "token", "--namespace=ci", ...args])).trim();

/** Runs with both doors; a worker with a kubeconfig reviews their callers' tokens. */
async function withReviews(
  kubeconfig: string,
  use: (doors: ReadonlyMap<string, Transport>) => Promise<void>,
): Promise<void> {
  const store = openMemoryStore();
  const cluster = { name: "test", kubeconfig, context: null, requestsPerSecond: 100 };
  const provider = await openClusters([cluster], {
    ...{ store, clock: systemClock, ids: systemIds, installation: "test", charts: null },
    findCluster: () => Promise.resolve("test"),
  });
  const engine = {
    name: "idle",
    start: () => Promise.reject(new Error("not an engine")),
    cancel: () => Promise.reject(new Error("not an engine")),
    status: () => Promise.resolve({ state: "absent" as const }),
    close: () => Promise.resolve(),
  };
  const planner = createPlanner(store, provider);
  const worker = await serveInternal({ cluster: provider, planner, engine }, {
    host: "127.0.0.1",
    port: 0,
  });
  const reviewer = new WorkerCluster([new URL(`http://127.0.0.1:${worker.address.port}`)]);
  try {
    await withGuardedDoors({ file: FILE, reviewer }, async ({ grpc, web }) => {
      const onGrpc = createGrpcTransport(grpc);
      const onWeb = createConnectTransport({ baseUrl: web.origin });
      try {
        await use(new Map<string, Transport>([["gRPC", onGrpc], ["web", onWeb]]));
      } finally {
        onGrpc.close();
      }
    });
  } finally {
    await worker.close();
    await provider.close();
    await store.close();
  }
}

const bearing = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

async function refusal(transport: Transport, token: string): Promise<string> {
  const error = await failure(createClient(AccessService, transport).whoAmI({}, bearing(token)));
  assert.ok(!error.message.includes(token));
  return `${Code[error.code]}: ${error.rawMessage}`;
}

function test(title: string, fn: () => Promise<void>): void {
  Deno.test({ name: `TokenReview: ${title}`, ...NO_SANITIZERS, fn });
}

test("a worker with its role reviews tokens, for the audience of the platform alone", async () => {
  await kubectl(["apply", "-f", ROLE]);
  const name = "system:serviceaccount:mpc-system:mpc-worker";
  const kubeconfig = await server.kubeconfigOf({ name, groups: GROUPS });
  const worker = await kubectlOf(kubeconfig);
  await eventually("the role is there", async () => {
    assert.match(await worker(["auth", "can-i", "create", "tokenreviews"]), /^yes/);
  });
  const ours = await tokenOf("deployer", "--audience=mpc");
  const forTheCluster = await tokenOf("deployer");
  const parts = ours.split(".");
  const forged = [...parts.slice(0, 2), parts[2]!.replaceAll(/[A-Z]/g, "x")].join(".");
  await kubectl(["create", "serviceaccount", "leaver", "--namespace=ci"]);
  const leavers = await tokenOf("leaver", "--audience=mpc");
  await kubectl(["delete", "serviceaccount", "leaver", "--namespace=ci"]);
  await withReviews(kubeconfig, async (doors) => {
    for (const [door, transport] of doors) {
      const access = createClient(AccessService, transport);
      const who = await access.whoAmI({}, bearing(ours));
      assert.equal(who.principal, "serviceaccount:ci:deployer", door);
      assert.deepEqual(who.groups, ["system:serviceaccounts", "system:serviceaccounts:ci"]);
      assert.equal(who.authentication, AuthenticationMethod.SERVICE_ACCOUNT);
      assert.ok(who.expireTime, "it expires");
      const may = { permission: "workloads.deploy", resource: "environments/dev" };
      assert.ok((await access.checkAccess(may, bearing(ours))).allowed);
      const { deleteEnvironment } = createClient(EnvironmentService, transport);
      const denied = await failure(
        deleteEnvironment({ name: "environments/dev" }, bearing(ours)),
      );
      assert.equal(denied.code, Code.PermissionDenied);
      assert.match(await refusal(transport, forTheCluster), /^Unauthenticated: .*another audience/);
      assert.match(await refusal(transport, forged), /^Unauthenticated: .*not accepted by its/);
      assert.match(await refusal(transport, leavers), /^Unauthenticated: .*not accepted by its/);
    }
  });
  const asked = (await server.requestsOf(name)).filter(({ resource }) =>
    resource === "tokenreviews"
  );
  assert.equal(asked.length, 3, "one for each token that only the cluster can judge");
});

test("a worker that may not review tokens lets nobody in", async () => {
  const kubeconfig = await server.kubeconfigOf({ name: "nobody", groups: [] });
  const ours = await tokenOf("deployer", "--audience=mpc");
  await withReviews(kubeconfig, async (doors) => {
    for (const transport of doors.values()) {
      assert.match(
        await refusal(transport, ours),
        /^Unavailable: .*'test' cannot review its token/,
      );
    }
  });
});
