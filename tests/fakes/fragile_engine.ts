import { MpcError } from "@mpc/domain";
import type { Engine, EngineStatus } from "@mpc/services";

/** An engine that cannot be reached while a test says so; otherwise another one. */
export class FragileEngine implements Engine {
  readonly name: string;
  /** What it was told to start, in order, each time. */
  readonly started: string[] = [];
  /** Operations that it refuses for good. */
  readonly refused = new Set<string>();
  reachable = true;
  /** Whether anybody is there to begin operations. */
  begins = true;
  /** Whether it takes what it is to start, and begins nothing. */
  keeps = false;
  /** Operations that nobody goes on with. */
  stranded: ReadonlyMap<string, MpcError> = new Map();
  readonly #bare: Engine;

  constructor(bare: Engine, name = bare.name) {
    this.name = name;
    this.#bare = bare;
  }

  /** What keeps it from its work. */
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
