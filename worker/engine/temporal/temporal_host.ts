import { getLogger } from "@logtape/logtape";
import { isMpcError, MpcError, recordError } from "@mpc/domain";
import type { TemporalAddress } from "@mpc/process";
import { type Clock, sleepUnlessAborted } from "@mpc/services";
import type { Client } from "@temporalio/client";
import type { DataConverter } from "@temporalio/common";
import { type NativeConnection, Worker, type WorkerOptions } from "@temporalio/worker";
import { assertBegins } from "./assert_begins.ts";
import {
  assertSearchAttributes,
  connectTemporal,
  namespaceIdOf,
  type TemporalConnection,
} from "./connect.ts";
import { engineError, isUnimplemented } from "./engine_errors.ts";
import { Failures } from "./failures.ts";
import { installRuntime } from "./install_runtime.ts";
import type { PeriodicTasks } from "./periodic_tasks.ts";
import { type StuckWork, stuckWork } from "./stuck_work.ts";
import { taskQueueBuilds } from "./task_queue.ts";

const log = getLogger(["mpc", "temporal"]);

export interface TemporalHostOptions {
  readonly target: TemporalAddress;
  readonly taskQueue: string;
  /** The id of the control plane. */
  readonly installation: string;
  /** By activity type. */
  readonly activities: Readonly<Record<string, (task: never) => Promise<unknown>>>;
  /** Absent for a worker without periodic tasks. */
  readonly periodic?: PeriodicTasks;
  /** The output of `deno task bundle:workflows`. */
  readonly bundlePath: string;
  readonly clock: Clock;
  readonly dataConverter?: DataConverter;
  /** Concurrency, versioning, interceptors. */
  readonly worker?: Partial<WorkerOptions>;
}

type Use = (client: Client) => Promise<void>;

/** A running worker and its connection. */
interface Up extends TemporalConnection {
  readonly worker: Worker;
  /** What is still to be done once on this connection. */
  readonly due: Set<Use>;
  /** What the last check found. */
  trouble: MpcError | undefined;
  /** What the last search found; undefined before the first one. */
  stuck: StuckWork | undefined;
  /** When to search for stuck work again, by the monotonic clock. */
  nextSearch: number;
}

/** The pause between two attempts to connect. */
const PAUSE_MS = 2_000;

/** How long a starting process waits for its first connection before it continues without one. */
const FIRST_MS = 3_000;

/** How often to check that Temporal answers, has the same namespace, and dispatches operations. */
const LOOK_MS = 5_000;

/** How often to search for stuck work. A search costs Temporal more than a check. */
const SEARCH_MS = 10_000;

/** The timeout of a check. */
const LOOK_TIMEOUT_MS = 4_000;

/** How long running steps may take to finish when the worker stops; longer ones are returned. */
const GRACE = "2s";

/**
 * Maintains the connection to Temporal and a worker on it. While the server is unreachable or
 * refuses the connection, connecting is retried.
 */
export class TemporalHost {
  readonly #options: TemporalHostOptions;
  readonly #stop = new AbortController();
  #up: Up | undefined;
  #problem: MpcError = new MpcError("UNAVAILABLE", {
    reason: "ENGINE_UNREACHABLE",
    message: "Cannot reach Temporal: the first connection is being made",
  });
  /** The attempts to connect that have failed since a worker ran. */
  readonly #failures = new Failures();
  /** The checks that have failed. */
  readonly #troubles = new Failures();
  readonly #uses: Use[] = [];
  #first = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;

  constructor(options: TemporalHostOptions) {
    this.#options = options;
  }

  /** Begins to connect. Resolves when the first attempt has succeeded, failed, or takes long. */
  async start(): Promise<void> {
    installRuntime();
    this.#running = this.#loop();
    const tried = new AbortController();
    const long = sleepUnlessAborted(this.#options.clock, FIRST_MS, tried.signal);
    await Promise.race([this.#first.promise, long]);
    tried.abort("the first try is over");
    await long;
  }

  /** @throws {MpcError} UNAVAILABLE `ENGINE_UNREACHABLE` while not connected; its cause says why */
  readonly client = (): Client => {
    if (this.#up) return this.#up.client;
    const { message } = this.#problem;
    const reason = "ENGINE_UNREACHABLE";
    throw new MpcError("UNAVAILABLE", { reason, message, cause: this.#problem });
  };

  /** Why operations do not begin; undefined while they do. */
  get problem(): MpcError | undefined {
    return this.#up ? this.#up.trouble : this.#problem;
  }

  /** Work that Temporal does not continue; undefined if that is not known. */
  get stuck(): StuckWork | undefined {
    return this.#up?.stuck;
  }

  /** The connection of the worker; undefined while it has none. */
  get connection(): NativeConnection | undefined {
    return this.#up?.connection;
  }

  /**
   * Asserts that a new operation would not wait unnoticed.
   * @throws {MpcError} FAILED_PRECONDITION `ENGINE_NO_WORKER`
   */
  assertBegins(): void {
    // A call reports any other problem itself.
    if (this.problem?.reason === "ENGINE_NO_WORKER") throw this.problem;
  }

  /**
   * Registers something to do once on this connection and on each new one. It is retried until it
   * succeeds; `problem` reports a failure meanwhile.
   */
  async whenUp(use: Use): Promise<void> {
    this.#uses.push(use);
    this.#up?.due.add(use);
    if (this.#up) await this.#look(this.#up);
  }

  /** Calls Temporal before the end, if it can be reached; a failure is only logged. */
  async leave(use: Use): Promise<void> {
    const { connection, client } = this.#up ?? {};
    if (!connection || !client) return;
    try {
      await connection.withDeadline(Date.now() + LOOK_TIMEOUT_MS, () => use(client));
    } catch (error) {
      log.warn("Cannot remove everything from Temporal: {error}", { error: recordError(error) });
    }
  }

  /** Accepts no new steps, lets running steps finish or returns them, and disconnects. */
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
        this.#noteFailure(problemOf(error));
        this.#first.resolve();
        await sleepUnlessAborted(this.#options.clock, PAUSE_MS, this.#stop.signal);
      }
    }
  }

  /** Logs the first of equal failures; `#work` logs their number when one attempt succeeds. */
  #noteFailure(problem: MpcError): void {
    if (this.#failures.add(problem.reason)) {
      log.warn("No worker runs on Temporal, trying again every {pauseMs} ms: {error}", {
        pauseMs: PAUSE_MS,
        error: recordError(problem),
      });
    }
    this.#problem = problem;
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
        activities,
        ...(dataConverter && { dataConverter }),
        shutdownGraceTime: GRACE,
        // How long a workflow waits for a dead worker that has it cached before another may
        // continue.
        stickyQueueScheduleToStartTimeout: "5s",
        // The response to a heartbeat carries a cancellation.
        maxHeartbeatThrottleInterval: "2s",
        ...this.#options.worker,
      });
      const up: Up = {
        ...temporal,
        worker,
        due: new Set(this.#uses),
        trouble: undefined,
        stuck: undefined,
        nextSearch: -Infinity,
      };
      await this.#look(up);
      this.#up = up;
      const attempts = this.#failures.end();
      if (attempts > 0) {
        log.warn("A worker runs on Temporal again, after {attempts} failed attempts", { attempts });
      }
      this.#first.resolve();
      if (this.#stop.signal.aborted) worker.shutdown();
      const over = new AbortController();
      const looking = this.#lookOn(up, over.signal);
      try {
        await worker.run();
      } finally {
        over.abort("the worker has ended");
        await looking;
      }
    } finally {
      this.#up = undefined;
      await temporal.connection.close();
    }
  }

  /** Checks at intervals until the worker has ended. */
  async #lookOn(up: Up, over: AbortSignal): Promise<void> {
    while (await sleepUnlessAborted(this.#options.clock, LOOK_MS, over)) await this.#look(up);
  }

  async #look(up: Up): Promise<void> {
    const { taskQueue, installation, target, worker, periodic } = this.#options;
    const { connection } = up;
    const { namespace } = target;
    const version = worker?.workerDeploymentOptions?.version ?? null;
    try {
      await connection.withDeadline(Date.now() + LOOK_TIMEOUT_MS, async () => {
        const same = await namespaceIdOf(connection, target) === up.namespaceId;
        // The namespace is another database now: connect again, so that everything due is repeated.
        if (!same && up.worker.getState() === "RUNNING") up.worker.shutdown();
        await this.#doDue(up);
        const queue = {
          connection,
          client: up.client,
          namespace,
          taskQueue,
          installation,
          version,
        };
        const builds = await taskQueueBuilds(queue);
        const now = this.#options.clock.monotonic();
        if (now >= up.nextSearch) {
          await assertSearchAttributes(connection, target);
          up.stuck = await stuckWork({ queue, builds, periodic });
          up.nextSearch = now + SEARCH_MS;
        }
        assertBegins(builds, queue);
      });
      up.trouble = undefined;
    } catch (error) {
      const known = engineError(error);
      up.trouble = isMpcError(known) ? known : undefined;
      // Temporal's test server does not support this check.
      if (!up.trouble && isUnimplemented(error)) return;
      if (this.#troubles.add(up.trouble?.reason ?? recordError(error).message)) {
        log.warn("A check of Temporal fails: {error}", { error: recordError(known) });
      }
      return;
    }
    const checks = this.#troubles.end();
    if (checks > 0) log.warn("Temporal works again, after {checks} failed checks", { checks });
  }

  async #doDue({ client, due }: Up): Promise<void> {
    for (const use of due) {
      try {
        await use(client);
      } catch (error) {
        throw problemOf(engineError(error));
      }
      due.delete(use);
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
