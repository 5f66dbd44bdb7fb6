import assert from "node:assert/strict";
import { eventually } from "../servers/eventually.ts";
import {
  assertExplained,
  begin,
  type ClusterWorld,
  explain,
  failedOperation,
  newEnvironment,
  type Scenarios,
  succeed,
} from "./cluster_world.ts";

const OUTAGE_MS = 20_000;

/** Waits until the explanation of an operation matches. */
async function untilExplained(
  world: ClusterWorld,
  operation: string,
  words: RegExp,
): Promise<void> {
  await eventually(`operation ${operation} is explained by ${words}`, async () => {
    assert.match(JSON.stringify(await explain(world, operation)), words);
  });
}

/** Waits for an operation and asserts that it succeeds. */
async function succeeds(world: ClusterWorld, operation: string): Promise<void> {
  await succeed(world, "op", "watch", operation, "--timeout", "2m");
}

/** Disruptions of the cluster during operations. */
export const DISRUPTIONS: Scenarios = {
  "a rollout survives an API server outage of 20 seconds": async (world) => {
    const { cluster, kubectl } = world;
    const env = await newEnvironment(world);
    // The pods wait for a ConfigMap, so the test decides how long the rollout is in progress.
    const operation = await begin(
      world,
      ...["workload", "deploy", "web", "--env", env, "--image", "nginx:1.27"],
      ...["--volume", "settings=/settings:config/settings"],
    );
    await untilExplained(world, operation, /0 of 1 replica ready/);
    await cluster.interruptApiServer();
    const end = Date.now() + OUTAGE_MS;
    await untilExplained(world, operation, /waiting for the cluster to answer/);
    await new Promise((resolve) => setTimeout(resolve, end - Date.now()));
    assert.match((await explain(world, operation)).summary, /runs step 'await_rollout'/);
    await cluster.resumeApiServer();
    await kubectl(["create", "configmap", "settings", "-n", env, "--from-literal=colour=red"]);
    await succeeds(world, operation);
    await succeed(world, "env", "delete", env, "--force");
  },
  "a rollout reports a node that does not answer, and continues when it recovers": async (
    world,
  ) => {
    const { cluster } = world;
    const env = await newEnvironment(world);
    await succeed(world, "workload", "deploy", "web", "--env", env, "--image", "nginx:1.27");
    await cluster.loseNode();
    const scale = ["workload", "scale", "web", "--env", env, "--replicas", "2"];
    const operation = await begin(world, ...scale);
    try {
      await untilExplained(world, operation, /Unknown: the node of web-\S+ does not answer/);
    } finally {
      await cluster.findNode();
    }
    await succeeds(world, operation);
    await succeed(world, "env", "delete", env, "--force");
  },
  "a deletion names the finalizer that blocks it, and ends after its removal": async (world) => {
    const { kubectl } = world;
    const env = await newEnvironment(world);
    await hold(world, env);
    const operation = await begin(world, "env", "delete", env);
    await untilExplained(world, operation, /ConfigMap\/\S+\/held.*example\.com\/hold/);
    await kubectl(["patch", "configmap", "held", "-n", env, ...RELEASE]);
    await succeeds(world, operation);
  },
  "a deletion that a finalizer blocks for too long fails, and can be abandoned": async (world) => {
    const { kubectl, mpctl } = world;
    const env = await newEnvironment(world);
    await hold(world, env);
    const operation = failedOperation(await mpctl("env", "delete", env, "--deadline", "30s"));
    await assertExplained(world, operation, "DELETE_BLOCKED", /held/);
    const state = await succeed(world, "env", "get", env, "-o", "jsonpath=$.state");
    assert.match(state, /DELETE_FAILED/);
    await succeed(world, "env", "delete", env, "--abandon");
    assert.equal((await mpctl("env", "get", env)).code, 7, "its record is gone");
    await kubectl(["patch", "configmap", "held", "-n", env, ...RELEASE]);
  },
};

const RELEASE = ["--type=merge", "-p", '{"metadata":{"finalizers":null}}'];

/** Creates an object with a finalizer in an environment. */
async function hold({ kubectl }: ClusterWorld, env: string): Promise<void> {
  const held = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "held", namespace: env, finalizers: ["example.com/hold"] },
  };
  await kubectl(["apply", "-f", "-"], JSON.stringify(held));
}
