import { getLogger } from "@logtape/logtape";
import { isMpcError, MpcError, recordError } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import type { Client } from "@temporalio/client";
import type { DataConverter } from "@temporalio/common";
import { Worker, type WorkerOptions } from "@temporalio/worker";
import { connectTemporal, type TemporalAddress, type TemporalConnection } from "./connect.ts";
import { installRuntime } from "./install_runtime.ts";
import type { StepActivities } from "./step_activities.ts";

const log = getLogger(["mpc", "temporal"]);

export interface TemporalHostOptions {
  readonly target: TemporalAddress;
  readonly taskQueue: string;
  readonly activities: Pick<StepActivities, "functions">;
  /** What `deno task bundle:workflows` wrote. */
  readonly bundlePath: string;
  readonly clock: Clock;
  readonly dataConverter?: DataConverter;
  /** Concurrency, versioning, interceptors. */
  readonly worker?: Partial<WorkerOptions>;
}

/** Between two tries to connect. */
const PAUSE_MS = 2_000;

/** How long a process that starts waits for its first connection; it goes on without. */
const FIRST_MS = 3_000;

/** How long steps may take to finish when the worker stops; what waits longer is handed back. */
const GRACE = "2s";

/**
 * The connection to Temporal and the worker on it, kept up: a server that is not there, or refuses,
 * is tried again until it is.
 */
export class TemporalHost {
  readonly #options: TemporalHostOptions;
  readonly #stop = new AbortController();
  #up: (TemporalConnection & { readonly worker: Worker }) | undefined;
  #problem: MpcError = new MpcError("UNAVAILABLE", {
    reason: "ENGINE_UNREACHABLE",
    message: "Cannot reach Temporal: the first connection is being made",
  });
  readonly #uses: ((client: Client) => Promise<void>)[] = [];
  #first = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;

  constructor(options: TemporalHostOptions) {
    this.#options = options;
  }

  /** Begins to connect and to work; resolves when the first try has failed, or takes long. */
  async start(): Promise<void> {
    installRuntime();
    this.#running = this.#loop();
    const tried = new AbortController();
    const long = this.#options.clock.sleep(FIRST_MS, tried.signal).catch((error) => {
      if (!tried.signal.aborted) throw error;
    });
    await Promise.race([this.#first.promise, long]);
    tried.abort("the first try is over");
    await long;
  }

  /** @throws {MpcError} UNAVAILABLE `ENGINE_UNREACHABLE`, because of the problem, while there is one */
  readonly client = (): Client => {
    if (this.#up) return this.#up.client;
    const { message } = this.#problem;
    const reason = "ENGINE_UNREACHABLE";
    throw new MpcError("UNAVAILABLE", { reason, message, cause: this.#problem });
  };

  /** What keeps the worker from its work; undefined while it works. */
  get problem(): MpcError | undefined {
    return this.#up ? undefined : this.#problem;
  }

  /** Has something done now, where there is a connection, and each time that there is a new one. */
  async whenUp(use: (client: Client) => Promise<void>): Promise<void> {
    this.#uses.push(use);
    if (this.#up) await use(this.#up.client);
  }

  /** Takes nothing new, lets steps finish or hands them back, and lets go. */
  async close(): Promise<void> {
    this.#stop.abort();
    if (this.#up?.worker.getState() === "RUNNING") this.#up.worker.shutdown();
    await this.#running;
  }

  async #loop(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#work();
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#problem = problemOf(error);
        log.warn("Not at work on Temporal: {error}", { error: recordError(error) });
        this.#first.resolve();
        await this.#pause();
      }
    }
  }

  async #work(): Promise<void> {
    const { target, dataConverter, activities, bundlePath, taskQueue } = this.#options;
    const temporal = await connectTemporal(target, dataConverter);
    try {
      const worker = await Worker.create({
        connection: temporal.connection,
        namespace: target.namespace,
        taskQueue,
        workflowBundle: { codePath: bundlePath },
        activities: activities.functions(),
        ...(dataConverter && { dataConverter }),
        shutdownGraceTime: GRACE,
        // What a worker that died remembered of a workflow keeps others from it for so long.
        stickyQueueScheduleToStartTimeout: "5s",
        // A cancellation arrives with the answer to a heartbeat.
        maxHeartbeatThrottleInterval: "2s",
        ...this.#options.worker,
      });
      this.#up = { ...temporal, worker };
      for (const use of this.#uses) await use(temporal.client);
      this.#first.resolve();
      if (this.#stop.signal.aborted) worker.shutdown();
      await worker.run();
    } finally {
      this.#up = undefined;
      await temporal.connection.close();
    }
  }

  async #pause(): Promise<void> {
    try {
      await this.#options.clock.sleep(PAUSE_MS, this.#stop.signal);
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
  }
}

function problemOf(error: unknown): MpcError {
  if (isMpcError(error)) return error;
  return new MpcError("UNAVAILABLE", {
    reason: "ENGINE_UNREACHABLE",
    message: `Cannot use Temporal: ${recordError(error).message}`,
    cause: error,
  });
}
