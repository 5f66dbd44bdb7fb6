/**
 * Every remedy of the catalogue leads out: the trouble is made, the operation fails as it says, and
 * what `explain` recommends is carried out.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  type Advice,
  DEFAULT_CLUSTER,
  type ErrorCode,
  INSTALLATION,
  madeMetadata,
  MpcError,
  type Operation,
  REASONS,
} from "@mpc/domain";
import {
  type ApplyCall,
  createEnvironment,
  explainOperation,
  getEnvironment,
  type MutationResult,
  type Provider,
} from "@mpc/services";
import { systemClock, systemIds } from "@mpc/process";
import { openMemoryStore } from "@mpc/storage/memory";
import { NO_DELAYS, SimulatedProvider } from "@mpc/worker/simulated";
import { startTemporalEngine } from "@mpc/worker/temporal";
import { VALID_MS } from "../../worker/providers/cluster_claims.ts";
import { carryOut } from "../fakes/carry_out.ts";
import { withClaims } from "../fakes/claimed_platform.ts";
import { type Platform, withPlatform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { create, deploy, removeEnvironment, SCENARIOS } from "../fakes/scenarios.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { workflowBundle } from "../servers/workflow_bundle.ts";

const DEV = "environments/dev";

/** A cluster that tests make trouble on. */
class Trouble {
  /** Thrown by every real change of these methods, unless the caller takes fields over. */
  conflicts: ReadonlySet<string> = new Set();
  /** Thrown by every real change until it is undefined. */
  failure: ((method: string) => Error | undefined) | undefined;

  readonly wrap = (bare: Provider): Provider =>
    new Proxy(bare, {
      get: (target, key) => {
        const value = Reflect.get(target, key);
        if (typeof value !== "function") return value;
        const bound = value.bind(target);
        if (!/^apply/.test(String(key))) return bound;
        return (intent: unknown, call: ApplyCall) => {
          const error = this.#trouble(String(key), call);
          return error ? Promise.reject(error) : bound(intent, call);
        };
      },
    });

  #trouble(method: string, { forceConflicts = false }: ApplyCall): Error | undefined {
    if (this.conflicts.has(method) && !forceConflicts) {
      return new MpcError("ABORTED", {
        reason: "FIELD_CONFLICT",
        message: `Cannot apply it: 'kubectl-edit' manages spec.replicas`,
        retryable: false,
        // As the provider for Kubernetes says it of an object that was refused.
        metadata: { manager: "kubectl-edit", fields: "spec.replicas", ...madeMetadata([]) },
      });
    }
    return this.failure?.(method);
  }
}

type World = Platform & { readonly trouble: Trouble };

/** Runs a test on a platform with a cluster that makes trouble. */
function withTrouble(use: (platform: World) => Promise<void>): Promise<void> {
  const trouble = new Trouble();
  return withPlatform(
    (platform) => use(Object.assign(platform, { trouble })),
    { provider: trouble.wrap },
  );
}

/** Asserts that an operation failed for a reason and left nothing. @returns the next command */
async function adviceOn(
  platform: Platform,
  { name, state, error, residue }: Operation,
  reason: string,
): Promise<string> {
  assert.deepEqual([state, error?.reason], ["FAILED", reason], `${error?.message}`);
  assert.deepEqual(residue, [], "nothing was made, so nothing is left");
  return (await explainOperation(platform.deps, platform.caller, name)).nextCommand;
}

async function succeeds(platform: Platform, result: MutationResult): Promise<void> {
  const { state, error } = await platform.ended(result);
  assert.equal(state, "SUCCEEDED", `${error?.message}`);
}

/** Carries out a command, and then the operation that had failed. */
async function leadsOut(
  platform: Platform,
  command: string,
  failed: Operation,
  values: Readonly<Record<string, string>> = {},
): Promise<void> {
  await succeeds(platform, await carryOut(platform, command, values));
  if (!/^mpctl op retry /.test(command)) {
    const retry = `mpctl op retry ${failed.name.split("/")[1]}`;
    await succeeds(platform, await carryOut(platform, retry));
  }
  await platform.assertSound();
}

/** The trouble behind each reason with a command, and the way out of it. */
const WAYS_OUT: Readonly<Record<string, (platform: World) => Promise<void>>> = {
  async FIELD_CONFLICT(platform) {
    platform.trouble.conflicts = new Set(["applyPolicies"]);
    const failed = await platform.ended(await create(platform));
    const command = await adviceOn(platform, failed, "FIELD_CONFLICT");
    assert.match(command, /^mpctl op retry \S+ --force-conflicts$/);
    await leadsOut(platform, command, failed);
  },

  async NO_NAMESPACE(platform) {
    await succeeds(platform, await create(platform));
    await succeeds(platform, await deploy(platform));
    await deleteNamespace(platform);
    const failed = await platform.ended(await deploy(platform, "nginx:1.28"));
    const command = await adviceOn(platform, failed, "NO_NAMESPACE");
    assert.equal(command, "mpctl env update dev");
    await leadsOut(platform, command, failed);
  },

  async QUOTA_EXCEEDED(platform) {
    const environment = { quota: { cpu: "1", memory: "1Gi" } };
    const { deps, caller } = platform;
    const request = { environmentId: "dev", environment };
    await succeeds(platform, await createEnvironment(deps, caller, request));
    platform.trouble.failure = (method) =>
      method === "applyWorkload"
        ? new MpcError("RESOURCE_EXHAUSTED", {
          reason: "QUOTA_EXCEEDED",
          message: "Cannot apply it: quota 'dev' forbids it",
          retryable: false,
          metadata: madeMetadata([]),
        })
        : undefined;
    const failed = await platform.ended(await deploy(platform));
    const command = await adviceOn(platform, failed, "QUOTA_EXCEEDED");
    platform.trouble.failure = undefined;
    await leadsOut(platform, command, failed, { CPU: "4", MEMORY: "4Gi" });
    const { value } = await getEnvironment(deps, caller, DEV);
    assert.deepEqual([value.quota.cpu, value.quota.memory], ["4", "4Gi"]);
  },

  async OOM_KILLED(platform) {
    await succeeds(platform, await create(platform));
    await succeeds(platform, await deploy(platform));
    const { cluster } = platform;
    const original = cluster.awaitRollout.bind(cluster);
    cluster.awaitRollout = (intent, call) =>
      intent.spec.image === "nginx:big" && intent.spec.resources.memory !== "2Gi"
        ? Promise.reject(
          new MpcError("FAILED_PRECONDITION", {
            reason: "OOM_KILLED",
            message: "Cannot roll it out: it used more memory than its limit",
          }),
        )
        : original(intent, call);
    const failed = await platform.ended(await deploy(platform, "nginx:big"));
    const command = await adviceOn(platform, failed, "OOM_KILLED");
    assert.equal(command, "mpctl workload deploy web --env dev --memory MEMORY");
    // The record has the restored revision: the caller names the image again.
    const { state, error } = await platform.ended(
      await carryOut(platform, `${command} --image nginx:big`, { MEMORY: "2Gi" }),
    );
    assert.equal(state, "SUCCEEDED", `${error?.message}`);
  },

  async UNKNOWN_CLUSTER(platform) {
    const { deps, caller } = platform;
    const request = { environmentId: "dev", environment: { cluster: "nowhere" } };
    const failed = await platform.ended(await createEnvironment(deps, caller, request));
    const command = await adviceOn(platform, failed, "UNKNOWN_CLUSTER");
    assert.equal(command, "mpctl env create dev --cluster NAME");
    await succeeds(platform, await carryOut(platform, command, { NAME: "default" }));
  },

  async ENVIRONMENT_NOT_FOUND(platform) {
    await succeeds(platform, await create(platform));
    // Its record goes between the admission and the first step.
    await platform.crash();
    const { operation } = await deploy(platform);
    const { version } = (await platform.store.environments.get(DEV))!;
    await platform.store.environments.delete(DEV, version);
    await platform.restart();
    await platform.settle();
    const failed = await platform.operation(operation!.value.name);
    const command = await adviceOn(platform, failed, "ENVIRONMENT_NOT_FOUND");
    assert.equal(command, "mpctl env create dev");
    await deleteNamespace(platform, failed);
    await leadsOut(platform, command, failed);
  },

  async ENVIRONMENT_NOT_READY(platform) {
    await succeeds(platform, await create(platform));
    await platform.crash();
    const { operation } = await deploy(platform);
    const stored = (await platform.store.environments.get(DEV))!;
    await platform.store.environments.replace(
      { ...stored.value, state: "CREATE_FAILED" },
      stored.version,
    );
    await platform.restart();
    await platform.settle();
    const failed = await platform.operation(operation!.value.name);
    const command = await adviceOn(platform, failed, "ENVIRONMENT_NOT_READY");
    assert.equal(command, "mpctl env get dev");
    const { value } = await getEnvironment(platform.deps, platform.caller, DEV);
    assert.equal(value.state, "CREATE_FAILED", "it shows what to repair");
    await leadsOut(platform, "mpctl env create dev", failed);
  },
};

/** Deletes the namespace of the environment behind the platform's back. */
async function deleteNamespace(platform: Platform, _after?: Operation): Promise<void> {
  const { objects } = await platform.cluster.inventory(platform.caller);
  const namespace = objects.find(({ object }) => object === "Namespace/dev");
  if (!namespace) return;
  const ref = { environment: "dev", uid: namespace.targetUid };
  await platform.cluster.deleteNamespace(ref, platform.caller);
  const gone = platform.cluster.awaitNamespaceGone(ref, platform.caller);
  await platform.clock.advance(60_000);
  await gone;
}

/** Commands that only show something; what they lead to is in the words of the advice. */
const ONLY_SHOWS: readonly string[] = [
  "DEAD_LETTER_NOT_FOUND",
  "EVENT_SINK_NOT_FOUND",
  "ENVIRONMENT_LIMIT",
  "OPERATION_LIMIT",
  "PERMISSION_MISSING",
  "TOKEN_NOT_FOUND",
  "TOO_MANY_TOKENS",
  "ENGINE_FORBIDS",
  "ENGINE_TLS",
  "ENGINE_UNREACHABLE",
  "OPERATIONS_RUNNING",
];

/** The trouble behind other reasons, each in a world of its own. */
const IN_OWN_WORLDS: Readonly<Record<string, () => Promise<void>>> = {
  CLUSTER_CLAIMED_ELSEWHERE: () =>
    withClaims(async (platform, other) => {
      await platform.crash();
      const { operation } = await create(platform);
      await other.takeOver(DEFAULT_CLUSTER, platform.caller);
      await platform.clock.advance(VALID_MS);
      await platform.restart();
      const failed = await platform.ended({ operation: operation!, plan: null });
      const command = await adviceOn(platform, failed, "CLUSTER_CLAIMED_ELSEWHERE");
      assert.equal(command, `mpctl doctor --claim ${DEFAULT_CLUSTER}`);
      await leadsOut(platform, command, failed);
    }),

  async NO_WORKFLOW_BUNDLE() {
    const store = openMemoryStore();
    const clock = systemClock;
    const id = "00000000-0000-4000-8000-000000000000";
    await store.installations.create({ name: INSTALLATION, id, createTime: clock.now() });
    const provider = new SimulatedProvider({ clock, delays: NO_DELAYS, statePath: null });
    const start = (bundlePath: string) =>
      startTemporalEngine({ store, provider, clock, ids: systemIds }, {
        // Nothing listens there: the engine starts, and tries to connect.
        target: { address: "127.0.0.1:1", namespace: "default", tls: null, apiKey: null },
        ...{ taskQueue: "mpc", concurrency: 1, payloadKey: null, version: null },
        ...{ ephemeral: false, bundlePath },
      });
    const missing = start("/nowhere/workflows.js");
    await rejectsWith(missing, "FAILED_PRECONDITION", "NO_WORKFLOW_BUNDLE");
    const engine = await start(await workflowBundle());
    assert.equal(engine.problem?.reason, "ENGINE_UNREACHABLE");
    await engine.close();
    await provider.close();
    await store.close();
  },
};

/**
 * Commands that need a real cluster, or processes with a real database: the command, the file of the
 * test that runs it, and the words by which it does.
 */
const RUN_ELSEWHERE: Readonly<
  Record<string, readonly [command: string, file: string, text: string]>
> = {
  CLUSTER_FORBIDS: [
    "kubectl apply -f deploy/kubernetes/worker_role.yaml",
    "tests/kubernetes/worker_role_test.ts",
    '"apply", "-f", ROLE',
  ],
  CLUSTER_NOT_PERMITTED: [
    "deno task dev:cluster",
    "tests/kubernetes/bad_access_test.ts",
    '"dev:cluster"',
  ],
  VOLUME_NOT_BOUND: [
    "kubectl get storageclasses",
    "tests/kubernetes/waiting_test.ts",
    "advice?.command",
  ],
  CREDENTIALS_EXPIRED: ["mpctl login", "tests/e2e/mpctl_issuer_test.ts", '"login"'],
  CREDENTIALS_INVALID: ["mpctl login", "tests/e2e/mpctl_issuer_test.ts", '"login"'],
  CREDENTIALS_MISSING: ["mpctl login", "tests/e2e/mpctl_issuer_test.ts", '"login"'],
  NO_WORKER: ["deno task worker", "tests/servers/worker_process.ts", 'startTask("worker"'],
};

for (const [reason, way] of Object.entries(WAYS_OUT)) {
  Deno.test(`the remedy of ${reason} leads out`, () => withTrouble(way));
}

for (const [reason, fn] of Object.entries(IN_OWN_WORLDS)) {
  Deno.test({ name: `the remedy of ${reason} leads out`, ...NO_SANITIZERS, fn });
}

Deno.test("every command of the catalogue is run by a test", async () => {
  const commands = new Map(
    (Object.keys(REASONS) as ErrorCode[]).flatMap((code) =>
      Object.entries<Advice>(REASONS[code]).filter(([, { command }]) => command !== "")
        .map(([reason, { command }]) => [reason, command] as const)
    ),
  );
  const here = [...Object.keys(WAYS_OUT), ...Object.keys(IN_OWN_WORLDS)];
  const all = [...here, ...ONLY_SHOWS, ...Object.keys(RUN_ELSEWHERE)];
  assert.deepEqual([...commands.keys()].sort(), all.sort());
  for (const [reason, [command, file, text]] of Object.entries(RUN_ELSEWHERE)) {
    assert.equal(commands.get(reason), command, "what the other test runs");
    const source = await Deno.readTextFile(join(import.meta.dirname!, "../..", file));
    assert.ok(source.includes(text), `${file} has ${text}`);
  }
});

/** The methods by which the scenarios apply objects. */
const APPLYING: readonly (readonly [kind: string, method: string])[] = [
  ["environment.create", "applyNamespace"],
  ["environment.create", "applyPolicies"],
  ["environment.update", "applyNamespace"],
  ["environment.update", "applyPolicies"],
  ["workload.deploy", "applyWorkload"],
];

for (const [kind, method] of APPLYING) {
  for (const scenario of SCENARIOS.filter((scenario) => scenario.kind === kind)) {
    Deno.test(`${scenario.title}: a conflict at ${method} leaves nothing, and --force-conflicts leads out`, () =>
      withTrouble(async (platform) => {
        await scenario.prepare(platform);
        platform.trouble.conflicts = new Set([method]);
        const failed = await platform.ended(await scenario.request(platform));
        const command = await adviceOn(platform, failed, "FIELD_CONFLICT");
        await leadsOut(platform, command, failed);
      }));
  }
}

for (const scenario of SCENARIOS.filter(({ kind }) => kind === "environment.update")) {
  Deno.test(`${scenario.title}: heals a namespace that somebody has deleted`, () =>
    withTrouble(async (platform) => {
      await scenario.prepare(platform);
      await deleteNamespace(platform);
      await succeeds(platform, await scenario.request(platform));
      await platform.assertSound();
      await succeeds(platform, await removeEnvironment(platform));
    }));
}
