import type { ErrorRecord } from "@mpc/domain";

/** An engine's state of an operation. */
export type EngineStatus =
  | { readonly state: "running" }
  /** The engine does not know it; it may be started. */
  | { readonly state: "absent" }
  /** It was ended from outside, and cannot be started again; the error says how. */
  | { readonly state: "ended"; readonly error: ErrorRecord };

/**
 * Executes admitted operations.
 *
 * Every call may fail with a reason that begins with `ENGINE_`, for instance `UNAVAILABLE`
 * `ENGINE_UNREACHABLE`: it accepts no operations now.
 */
export interface Engine {
  /** `embedded` or `temporal`: operations record which one runs them. */
  readonly name: string;
  /** Starts or resumes an operation; does nothing if it is running or has ended. */
  start(operation: string): Promise<void>;
  /** Passes a cancellation mark to the running operation; does nothing if it is not running. */
  cancel(operation: string): Promise<void>;
  /** The state of an operation that has not ended according to its record. */
  status(operation: string): Promise<EngineStatus>;
  /** Stops work without ending operations: they continue when an engine starts them again. */
  close(): Promise<void>;
}
