import { access } from "node:fs/promises";
import { INSTALLATION, MpcError } from "@mpc/domain";
import type { TemporalAddress } from "@mpc/process";
import type { Store } from "@mpc/storage";
import type { WorkerDeploymentOptions } from "@temporalio/worker";
import type { HostedEngine } from "../hosted_engine.ts";
import { isPass, PeriodicTasks } from "./periodic_tasks.ts";
import { encryptingCodec } from "./encrypting_codec.ts";
import { StepActivities, type StepActivitiesOptions } from "./step_activities.ts";
import { stepTuner } from "./step_slots.ts";
import { TemporalEngine } from "./temporal_engine.ts";
import { TemporalHost } from "./temporal_host.ts";

export interface TemporalConfig {
  readonly target: TemporalAddress;
  /** The installation's id is added: control planes that share a Temporal have queues of their own. */
  readonly taskQueue: string;
  /** The maximum number of steps that run at once in this process; waiting steps do not count. */
  readonly concurrency: number;
  /** The output of `deno task bundle:workflows`. */
  readonly bundlePath: string;
  /** Encrypts data in Temporal: 32 bytes in base64; null for no encryption. */
  readonly payloadKey: string | null;
  /** Null to run every operation with the current code. */
  readonly version: WorkerVersion | null;
}

/** A build of a deployment. Running workflows are pinned to their build. */
export interface WorkerVersion {
  readonly deployment: string;
  readonly build: string;
}

/**
 * Starts the engine on Temporal and its worker in this process. Connecting to an unreachable server
 * is retried until it succeeds; `problem` reports it meanwhile.
 * @throws {MpcError} FAILED_PRECONDITION `NO_WORKFLOW_BUNDLE`, INVALID_ARGUMENT `PAYLOAD_KEY_INVALID`
 */
export async function startTemporalEngine(
  tools: StepActivitiesOptions,
  config: TemporalConfig,
): Promise<HostedEngine> {
  const { target, concurrency, bundlePath, payloadKey, version } = config;
  await assertBundle(bundlePath);
  const installation = await installationOf(tools.store);
  const taskQueue = `${config.taskQueue}-${installation}`;
  const activities = new StepActivities({ ...tools, installation });
  const periodic = new PeriodicTasks();
  const host = new TemporalHost({
    target,
    taskQueue,
    activities: {
      functions: () => ({ ...activities.functions(), ...periodic.functions() }),
    },
    bundlePath,
    clock: tools.clock,
    worker: {
      tuner: stepTuner(concurrency, (type) => activities.waits(type) || isPass(type)),
      ...(version && { workerDeploymentOptions: deploymentOf(version) }),
    },
    ...(payloadKey && { dataConverter: { payloadCodecs: [await encryptingCodec(payloadKey)] } }),
  });
  const { store, clock } = tools;
  const { client } = host;
  const engine = new TemporalEngine({
    store,
    clock,
    client,
    taskQueue,
    installation,
    eager: version === null,
    activities,
  });
  await host.start();
  return {
    name: engine.name,
    async start(operation) {
      host.assertBegins();
      await engine.start(operation);
    },
    cancel: (operation) => engine.cancel(operation),
    status: (operation) => engine.status(operation),
    async repeat(tasks) {
      periodic.assign(tasks);
      await host.whenUp((client) => periodic.schedule(client, taskQueue));
    },
    close: () => host.close(),
    get problem() {
      return host.problem;
    },
    get stranded() {
      return host.stranded;
    },
  };
}

/**
 * A workflow stays with the build that began it. `temporal worker deployment` sets the current
 * build.
 */
function deploymentOf({ deployment, build }: WorkerVersion): WorkerDeploymentOptions {
  return {
    useWorkerVersioning: true,
    version: { deploymentName: deployment, buildId: build },
    defaultVersioningBehavior: "PINNED",
  };
}

/** The id of the control plane that a store belongs to; `Platform.open` has made sure of it. */
async function installationOf(store: Store): Promise<string> {
  const found = await store.installations.get(INSTALLATION);
  if (!found) throw new Error("Cannot start the engine: the store has no installation id");
  return found.value.id;
}

async function assertBundle(path: string): Promise<void> {
  try {
    await access(path);
  } catch (error) {
    throw new MpcError("FAILED_PRECONDITION", {
      reason: "NO_WORKFLOW_BUNDLE",
      message:
        `Cannot start the engine: '${path}' is not there; make it by 'deno task bundle:workflows'`,
      cause: error,
    });
  }
}
