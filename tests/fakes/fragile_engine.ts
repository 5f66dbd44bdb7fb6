import { MpcError } from "@mpc/domain";
import type { Engine, EngineStatus } from "@mpc/services";

/** An engine that is unreachable while a test says so; otherwise it delegates to another one. */
export class FragileEngine implements Engine {
  readonly name: string;
  /** The operations that it was told to start, in order, with repetitions. */
  readonly started: string[] = [];
  /** Operations that it rejects permanently. */
  readonly refused = new Set<string>();
  reachable = true;
  /** Whether a worker is there to begin operations. */
  begins = true;
  /** Whether it accepts operations without beginning them. */
  keeps = false;
  /** Operations that no worker continues. */
  stranded: ReadonlyMap<string, MpcError> = new Map();
  readonly #bare: Engine;

  constructor(bare: Engine, name = bare.name) {
    this.name = name;
    this.#bare = bare;
  }

  /** Why it cannot work. */
  get problem(): MpcError | undefined {
    if (this.reachable) return undefined;
    return new MpcError("UNAVAILABLE", {
      reason: "ENGINE_UNREACHABLE",
      message: "Cannot reach the engine: connection refused",
    });
  }

  start(operation: string): Promise<void> {
    this.#reach();
    if (!this.begins) {
      throw new MpcError("FAILED_PRECONDITION", {
        reason: "ENGINE_NO_WORKER",
        message: "Cannot begin operations: nobody is there",
      });
    }
    if (this.refused.has(operation)) throw new Error(`'${operation}' is not for this engine`);
    this.started.push(operation);
    return this.keeps ? Promise.resolve() : this.#bare.start(operation);
  }

  cancel(operation: string): Promise<void> {
    this.#reach();
    return this.#bare.cancel(operation);
  }

  status(operation: string): Promise<EngineStatus> {
    this.#reach();
    return this.#bare.status(operation);
  }

  close(): Promise<void> {
    return this.#bare.close();
  }

  #reach(): void {
    if (this.problem) throw this.problem;
  }
}
