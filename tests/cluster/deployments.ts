import assert from "node:assert/strict";
import { newEnvironment, type Scenarios, succeed } from "./cluster_world.ts";

/** Deployments that succeed. */
export const DEPLOYMENTS: Scenarios = {
  "a workload is deployed, scaled, updated and rolled back, and its environment deleted": async (
    world,
  ) => {
    const { kubectl } = world;
    const env = await newEnvironment(world);
    const inEnv = ["--env", env];
    const image = () =>
      kubectl([
        ...["get", "deployment", "web", "-n", env],
        ...["-o", "jsonpath={.spec.template.spec.containers[0].image} {.status.readyReplicas}"],
      ]);
    const listens = ["--port", "8080", "--health-path", "/"];
    const deploy = ["workload", "deploy", "web", ...inEnv];
    await succeed(world, ...deploy, "--image", "nginx:1.27", ...listens);
    assert.equal(await image(), "nginx:1.27 1");
    await succeed(world, "workload", "scale", "web", ...inEnv, "--replicas", "3");
    assert.equal(await image(), "nginx:1.27 3");
    await succeed(world, ...deploy, "--image", "nginx:1.28");
    assert.equal(await image(), "nginx:1.28 3");
    await succeed(world, "workload", "rollback", "web", ...inEnv);
    assert.equal(await image(), "nginx:1.27 3");
    const logs = await succeed(world, "workload", "logs", "web", ...inEnv);
    const printed = new Set(logs.match(/^web-\S+ starting$/gm));
    assert.ok(printed.size >= 3, `every replica has printed: ${logs}`);
    await succeed(world, "env", "delete", env, "--force");
    const namespaces = await kubectl(["get", "namespaces", "-o", "name"]);
    assert.doesNotMatch(namespaces, new RegExp(env));
  },
  "the pods, events and drift of a workload can be read": async (
    world,
  ) => {
    const { kubectl } = world;
    const env = await newEnvironment(world);
    const web = ["web", "--env", env];
    await succeed(world, "workload", "deploy", ...web, "--image", "nginx:1.27");
    assert.match(await succeed(world, "workload", "pods", ...web), /^web-\S+ .*Running/m);
    assert.match(await succeed(world, "workload", "events", ...web), /Started/);
    await kubectl(["scale", "deployment/web", "-n", env, "--replicas=2"]);
    await succeed(world, "workload", "reconcile", ...web);
    const replicas = ["get", "deployment", "web", "-n", env, "-o", "jsonpath={.spec.replicas}"];
    assert.equal(await kubectl(replicas), "1");
    await succeed(world, "env", "delete", env, "--force");
  },
};
