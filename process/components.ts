import { type ErrorReason, isMpcError } from "@mpc/domain";

/** A part of a process that has to be ready for its work, or to be closed, or both. */
export interface Component {
  readonly name: string;
  /** Throws what keeps it from its work. */
  assertReady?(signal: AbortSignal): Promise<void>;
  close?(): Promise<void>;
}

/** Whether a component can do its work, and what keeps it from that. */
export type Readiness =
  | { readonly name: string; readonly ready: true }
  | {
    readonly name: string;
    readonly ready: false;
    readonly reason: ErrorReason | "NOT_READY";
    readonly message: string;
  };

/** How long one component may take to say whether it is ready. */
const READY_TIMEOUT_MS = 2_000;

/**
 * What a process consists of, in the order in which it was started. Closing goes the other way
 * round, so that a component is closed before those that it uses.
 */
export class Components implements AsyncDisposable {
  readonly #components: Component[] = [];
  readonly #closing = new AsyncDisposableStack();

  /** Adds a component that has started. */
  add(component: Component): void {
    this.#components.push(component);
    this.#closing.defer(() => component.close?.() ?? Promise.resolve());
  }

  /** Asks every component that can say so whether it is ready, all at the same time. */
  async readiness(): Promise<{ readonly ready: boolean; readonly checks: readonly Readiness[] }> {
    const checks = await Promise.all(
      this.#components.flatMap(({ name, assertReady }) =>
        assertReady ? [readinessOf(name, assertReady)] : []
      ),
    );
    return { ready: checks.every(({ ready }) => ready), checks };
  }

  /** The answer to `/readyz`: JSON that names what is not ready and why, with 503 where anything is not. */
  async readyResponse(): Promise<Response> {
    const readiness = await this.readiness();
    return Response.json(readiness, { status: readiness.ready ? 200 : 503 });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#closing.disposeAsync();
  }
}

async function readinessOf(
  name: string,
  assertReady: NonNullable<Component["assertReady"]>,
): Promise<Readiness> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), READY_TIMEOUT_MS);
  const timeout = new Promise<never>((_, reject) => {
    late.signal.addEventListener("abort", () => reject(new Error("it does not answer")));
  });
  try {
    await Promise.race([assertReady(late.signal), timeout]);
    return { name, ready: true };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { name, ready: false, reason: isMpcError(error) ? error.reason : "NOT_READY", message };
  } finally {
    clearTimeout(timer);
  }
}
