import type { ErrorRecord } from "@mpc/domain";

/** An engine's state of an operation. */
export type EngineStatus =
  | { readonly state: "running" }
  /** The engine does not know it; it may be started. */
  | { readonly state: "absent" }
  /** It was ended from outside, and cannot be started again; the error says how. */
  | { readonly state: "ended"; readonly error: ErrorRecord };

/** A step that waits until one of an engine's slots is free. */
export interface QueuedStep {
  readonly step: string;
  /** How many steps have the slots. */
  readonly running: number;
  /** How many steps wait for a slot, this one included. */
  readonly waiting: number;
}

/**
 * Executes admitted operations.
 *
 * Every call may fail with a reason that begins with `ENGINE_`, for instance `UNAVAILABLE`
 * `ENGINE_UNREACHABLE`: it accepts no operations now.
 */
export interface Engine {
  /** `embedded` or `temporal`: operations record which one runs them. */
  readonly name: string;
  /**
   * Starts or resumes an operation; does nothing if it is running or has ended, or if another engine
   * runs it.
   */
  start(operation: string): Promise<void>;
  /** Passes a cancellation mark to the running operation; does nothing if it is not running. */
  cancel(operation: string): Promise<void>;
  /** The state of an operation that has not ended according to its record. */
  status(operation: string): Promise<EngineStatus>;
  /**
   * The step of an operation that waits for a slot; undefined if none does. Absent if steps need no
   * slots.
   */
  queued?(operation: string): Promise<QueuedStep | undefined>;
  /** Stops work without ending operations: they continue when an engine starts them again. */
  close(): Promise<void>;
}
