import { access } from "node:fs/promises";
import { INSTALLATION, MpcError } from "@mpc/domain";
import type { TemporalAddress } from "@mpc/process";
import type { Store } from "@mpc/storage";
import type { WorkerDeploymentOptions } from "@temporalio/worker";
import { type Client, WorkflowNotFoundError } from "@temporalio/client";
import type { HostedEngine } from "../hosted_engine.ts";
import { quoted } from "./list_workflows.ts";
import { isPass, PeriodicTasks } from "./periodic_tasks.ts";
import { encryptingConverter } from "./encrypting_converter.ts";
import { StepActivities, type StepActivitiesOptions } from "./step_activities.ts";
import { sdkMetrics } from "./install_runtime.ts";
import { queuedStep } from "./queued_step.ts";
import { StepSlots, stepTuner } from "./step_slots.ts";
import { TemporalEngine } from "./temporal_engine.ts";
import { TemporalHost } from "./temporal_host.ts";
import { reaching } from "./engine_errors.ts";
import { withInstallation, workflowIdOf } from "./workflow_id.ts";

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
  /** Whether the records end with this process, and so everything about them in Temporal. */
  readonly ephemeral: boolean;
}

/** A build of a deployment, whose name gets the installation's id too. Running workflows are pinned to their build. */
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
  const taskQueue = withInstallation(config.taskQueue, installation);
  const activities = new StepActivities({ ...tools, installation, encrypted: payloadKey !== null });
  const periodic = new PeriodicTasks(tools.clock);
  const slots = new StepSlots(concurrency, (type) => activities.waits(type) || isPass(type));
  const host = new TemporalHost({
    target,
    taskQueue,
    installation,
    activities: { ...activities.functions(), ...periodic.functions() },
    periodic,
    bundlePath,
    clock: tools.clock,
    worker: {
      tuner: stepTuner(slots),
      ...(version && { workerDeploymentOptions: deploymentOf(version, installation) }),
    },
    ...(payloadKey !== null && { dataConverter: await encryptingConverter(payloadKey) }),
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
    ephemeral: config.ephemeral,
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
    async queued(operation) {
      const workflowId = workflowIdOf(installation, operation);
      const { namespace } = target;
      const { connection } = host;
      return connection &&
        await reaching(() => queuedStep(connection, { namespace, taskQueue, workflowId, slots }));
    },
    async repeat(tasks) {
      periodic.assign(tasks);
      await host.whenUp((client) => periodic.schedule(client, taskQueue));
    },
    async close() {
      if (config.ephemeral) await host.leave((client) => removeAll(client, periodic, taskQueue));
      await host.close();
    },
    metrics: sdkMetrics,
    get problem() {
      return host.problem;
    },
    get stranded() {
      return host.stuck?.operations;
    },
    get periodicProblem() {
      return host.stuck?.periodic;
    },
  };
}

/** Removes schedules and workflows that no other process can continue. */
async function removeAll(
  client: Client,
  periodic: PeriodicTasks,
  taskQueue: string,
): Promise<void> {
  await periodic.remove(client, taskQueue);
  const query = `TaskQueue = ${quoted(taskQueue)} AND ExecutionStatus = 'Running'`;
  for await (const { workflowId } of client.workflow.list({ query })) {
    try {
      await client.workflow.getHandle(workflowId).terminate("its control plane kept no records");
    } catch (error) {
      // It has ended in the meantime.
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
}

/**
 * A workflow stays with the build that began it. `temporal worker deployment` sets the current
 * build.
 */
function deploymentOf(
  { deployment, build }: WorkerVersion,
  installation: string,
): WorkerDeploymentOptions {
  return {
    useWorkerVersioning: true,
    version: { deploymentName: withInstallation(deployment, installation), buildId: build },
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
