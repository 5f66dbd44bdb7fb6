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

/** The flags of a workload, the reason of its failure, and the message that the user reads. */
type Failure = readonly [
  title: string,
  flags: readonly string[],
  reason: string,
  words: RegExp,
];

/** Without a health check, a program counts as ready from its start to its exit. */
const CHECKED = ["--port", "8080", "--health-path", "/"];

const FAILURES: readonly Failure[] = [
  [
    "a crash loop is reported with the exit code",
    ["--image", "localhost/nginx:crash", ...CHECKED],
    "CRASH_LOOP",
    /pod 'web-\S+' is CrashLoopBackOff: back-off after exit code 7/,
  ],
  [
    "a missing image is reported with the registry's message",
    ["--image", "localhost/nginx:missing"],
    "IMAGE_PULL_FAILED",
    /is (ErrImagePull|ImagePullBackOff): .*localhost\/nginx:missing/,
  ],
  [
    "a container out of memory is reported with its limit",
    ["--image", "localhost/nginx:hungry", "--memory", "32Mi", ...CHECKED],
    "OOM_KILLED",
    /is OOMKilled: it used more memory than its limit of 32Mi/,
  ],
  [
    "an unschedulable workload is reported with the scheduler's message",
    ["--image", "nginx:1.27", "--cpu", "1000"],
    "UNSCHEDULABLE",
    /is Unschedulable: .*Insufficient cpu/,
  ],
  [
    "a program that is never ready fails at its deadline with the probe's message",
    ["--image", "localhost/nginx:stuck", ...CHECKED, "--progress-deadline", "10s"],
    "PROGRESS_DEADLINE_EXCEEDED",
    /pod 'web-\S+' is NotReady/,
  ],
];

/** Asserts that an environment has neither deployments nor pods. */
async function assertEmpty({ kubectl }: ClusterWorld, env: string): Promise<void> {
  assert.equal(await kubectl(["get", "deployments,services,secrets", "-n", env, "-o", "name"]), "");
}

/** Failures of deployments. A failed first deployment leaves nothing behind. */
export const FAILED_DEPLOYMENTS: Scenarios = {
  ...Object.fromEntries(FAILURES.map(([title, flags, reason, words]) => [
    title,
    async (world: ClusterWorld) => {
      const env = await newEnvironment(world);
      const failed = await world.mpctl("workload", "deploy", "web", "--env", env, ...flags);
      await assertExplained(world, failedOperation(failed), reason, words);
      await assertEmpty(world, env);
      await succeed(world, "env", "delete", env, "--force");
    },
  ])),
  "a failing probe's answer is shown while the rollout waits, with a command that works": async (
    world,
  ) => {
    const env = await newEnvironment(world);
    const flags = ["--image", "nginx:1.27", "--port", "8080", "--health-path", "/missing"];
    const operation = await begin(world, "workload", "deploy", "web", "--env", env, ...flags);
    const answer = /Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 404/;
    await eventually(
      "the probe has failed",
      async () =>
        assert.match(await succeed(world, "workload", "get", "web", "--env", env), answer),
    );
    const { summary, responsible, nextCommand = "" } = await explain(world, operation);
    assert.match(summary, answer);
    assert.equal(responsible, "caller");
    const [program, ...command] = nextCommand.split(" ");
    assert.equal(program, "mpctl");
    assert.match(await succeed(world, ...command), /starting/);
    await succeed(world, "env", "delete", env, "--force");
  },
  "a ConfigMap that a volume lacks fails the rollout, unless the named command creates it": async (
    world,
  ) => {
    const { kubectl, mpctl } = world;
    const env = await newEnvironment(world);
    const deploy = ["--env", env, "--image", "nginx:1.27", "--volume", "c=/etc/c:config/settings"];
    const failed = failedOperation(await mpctl("workload", "deploy", "web", ...deploy));
    const words = /FailedMount: .*configmap "settings" not found; make it by 'kubectl create/;
    await assertExplained(world, failed, "CONTAINER_NOT_STARTED", words);
    const operation = await begin(world, "workload", "deploy", "web", ...deploy);
    await eventually("the mount has failed", async () => {
      const { nextCommand = "" } = await explain(world, operation);
      assert.match(nextCommand, /^kubectl create configmap settings --namespace /);
      await kubectl(nextCommand.split(" ").slice(1));
    });
    await succeed(world, "op", "watch", operation);
    assert.match(await succeed(world, "workload", "get", "web", "--env", env), /READY/);
    await succeed(world, "env", "delete", env, "--force");
  },
  "pods that a cluster quota rejects are reported with its message": async (world) => {
    const env = await newEnvironment(world);
    await world.kubectl(["create", "quota", "tight", "--hard=pods=1", "-n", env]);
    const deploy = ["workload", "deploy", "web", "--env", env, "--image", "nginx:1.27"];
    const failed = await world.mpctl(...deploy, "--replicas", "2");
    const words = /quota 'tight' forbids it: requested: pods=2, used: pods=0, limited: pods=1/;
    await assertExplained(world, failedOperation(failed), "QUOTA_EXCEEDED", words);
    await assertEmpty(world, env);
    await succeed(world, "env", "delete", env, "--force");
  },
  "the last log lines of a terminated program are kept with its failure": async (world) => {
    const env = await newEnvironment(world);
    const deploy = ["workload", "deploy", "web", "--env", env, "--image", "localhost/nginx:crash"];
    const operation = failedOperation(await world.mpctl(...deploy, ...CHECKED));
    assert.match(await succeed(world, "op", "get", operation, "-o", "json"), /reach the database/);
    await succeed(world, "env", "delete", env, "--force");
  },
  "a failed update leaves the previous revision running": async (world) => {
    const { kubectl, mpctl } = world;
    const env = await newEnvironment(world);
    const deploy = ["workload", "deploy", "web", "--env", env, "--image"];
    await succeed(world, ...deploy, "nginx:1.27");
    const operation = failedOperation(await mpctl(...deploy, "localhost/nginx:crash", ...CHECKED));
    await assertExplained(world, operation, "CRASH_LOOP", /exit code 7/);
    await kubectl(["rollout", "status", "deployment/web", "-n", env, "--timeout=30s"]);
    const pods = ["get", "pods", "-n", env, "-o", "jsonpath={.items[*].spec.containers[0].image}"];
    await eventually("the pod of the failed revision is gone", async () => {
      assert.equal(await kubectl(pods), "nginx:1.27");
    });
    const state = ["workload", "get", "web", "--env", env, "-o", "jsonpath=$.spec.image"];
    assert.equal((await succeed(world, ...state)).trim(), "nginx:1.27");
    await succeed(world, "env", "delete", env, "--force");
  },
  "an invalid image reference is rejected before any step": async (world) => {
    const env = await newEnvironment(world);
    const deploy = ["workload", "deploy", "web", "--env", env, "--image", "Not/An:Image:1"];
    const { code, err } = await world.mpctl(...deploy);
    assert.equal(code, 2);
    assert.match(err, /image/);
    await assertEmpty(world, env);
    await succeed(world, "env", "delete", env);
  },
};
