/** Which pods and addresses the pods of an environment can reach, shown by packets. */
import assert from "node:assert/strict";
import { type ClusterWorld, newEnvironment, type Scenarios, succeed } from "./cluster_world.ts";

const PORT = "8080";
const GREETING = "hello\n";

/** An environment with a web server in it. */
async function withServer(world: ClusterWorld): Promise<string> {
  const env = await newEnvironment(world);
  const listens = ["--port", PORT, "--health-path", "/"];
  const deploy = ["workload", "deploy", "web", "--env", env, "--image", "nginx:1.27"];
  await succeed(world, ...deploy, ...listens);
  return env;
}

/** Runs busybox in a pod of an environment's web server. @returns its output, including errors */
async function inPod({ kubectl }: ClusterWorld, env: string, command: string): Promise<string> {
  // A failure of the command is a result here; a failure of kubectl is not.
  const script = `busybox ${command} 2>&1 || echo "failed with $?"`;
  return await kubectl(["exec", "deployment/web", "-n", env, "--", "sh", "-c", script]);
}

/** Has its own time limit, because blocked packets get no response at all. */
const fetch = (host: string) => `timeout 5 busybox wget -q -O - http://${host}:${PORT}/`;

const nameIn = (env: string) => `web.${env}.svc.cluster.local`;

async function podAddress({ kubectl }: ClusterWorld, env: string): Promise<string> {
  const query = "jsonpath={.items[0].status.podIP}";
  return await kubectl(["get", "pods", "-n", env, "-l", "mpc/workload=web", "-o", query]);
}

/** Packets into another environment, as far as the cluster's network allows them. */
async function assertOther(world: ClusterWorld, from: string, to: string): Promise<void> {
  const answers = await Promise.all(
    [nameIn(to), await podAddress(world, to)].map((host) => inPod(world, from, fetch(host))),
  );
  for (const answer of answers) {
    if (world.cluster.enforcesPolicies) assert.match(answer, /failed with/, "it is blocked");
    else assert.equal(answer, GREETING, "without enforcement everything passes");
  }
}

export const ISOLATION: Scenarios = {
  "packets pass inside an environment and to DNS; between environments they do only because the cluster of tests enforces no policies":
    async (world) => {
      assert.equal(
        world.cluster.enforcesPolicies,
        false,
        "the title of this test, and its claim in the documentation, are of a network without enforcement",
      );
      const [one, other] = [await withServer(world), await withServer(world)];
      assert.equal(await inPod(world, one, fetch(nameIn(one))), GREETING, "its own, by its name");
      assert.equal(await inPod(world, one, fetch(await podAddress(world, one))), GREETING);
      assert.match(await inPod(world, one, `nslookup ${nameIn(one)}`), /Address/, "DNS answers");
      await assertOther(world, one, other);
      await assertOther(world, other, one);
      for (const env of [one, other]) await succeed(world, "env", "delete", env, "--force");
    },
  "an environment's policies are on the cluster as they are rendered, for a network that enforces them":
    async (world) => {
      const { kubectl } = world;
      const env = await newEnvironment(world);
      const { items } = JSON.parse(
        await kubectl(["get", "networkpolicies", "-n", env, "-o", "json"]),
      );
      const specs = Object.fromEntries(
        items.map((
          { metadata, spec }: { metadata: { name: string }; spec: { policyTypes: string[] } },
        ) => [metadata.name, spec]),
      );
      const own = [{ podSelector: {} }];
      assert.deepEqual(specs["isolation"], {
        podSelector: {},
        policyTypes: ["Ingress", "Egress"],
        ingress: [{ from: own }],
        egress: [{ to: own }],
      });
      assert.deepEqual(
        specs["dns"].egress[0].ports.map((
          { port, protocol }: { port: number; protocol: string },
        ) => `${protocol} ${port}`),
        ["UDP 53", "TCP 53"],
      );
      const blocked = specs["internet"].egress[0].to[0].ipBlock.except;
      assert.ok(blocked.includes("10.0.0.0/8"), `pods are no part of the Internet: ${blocked}`);
      await succeed(world, "env", "delete", env);
    },
};
