import type { ErrorRecord } from "@mpc/domain";

/** What an engine knows of an operation. */
export type EngineStatus =
  | { readonly state: "running" }
  /** It may be started. */
  | { readonly state: "absent" }
  /** It was ended from outside and cannot be started again; the error says how. */
  | { readonly state: "ended"; readonly error: ErrorRecord };

/**
 * Carries out admitted operations.
 *
 * Every call may fail with a reason that begins with `ENGINE_`, for instance `UNAVAILABLE`
 * `ENGINE_UNREACHABLE`: it takes no orders now, of any operation.
 */
export interface Engine {
  /** `embedded` or `temporal`: operations record which one runs them. */
  readonly name: string;
  /** Begins an operation, or goes on with it; does nothing where it runs or has ended. */
  start(operation: string): Promise<void>;
  /** Carries a cancellation mark to the running operation; does nothing where none runs. */
  cancel(operation: string): Promise<void>;
  /** How it stands with an operation that has not ended by its record. */
  status(operation: string): Promise<EngineStatus>;
  /** Stops work without ending operations: they go on when an engine starts them again. */
  close(): Promise<void>;
}
