import { type ErrorReason, isMpcError } from "@mpc/domain";

/** A part of a process that must become ready, or must be closed, or both. */
export interface Component {
  readonly name: string;
  /**
   * Throws the reason why it cannot work now.
   * @returns a warning if it can work but needs attention
   */
  assertReady?(signal: AbortSignal): Promise<string | undefined | void>;
  close?(): Promise<void>;
}

/** Whether a component can work, and otherwise why not. */
export type Readiness =
  | { readonly name: string; readonly ready: true; readonly warning?: string }
  | {
    readonly name: string;
    readonly ready: false;
    readonly reason: ErrorReason | "NOT_READY";
    readonly message: string;
  };

/** The timeout of one component's readiness check. */
const READY_TIMEOUT_MS = 2_000;

/**
 * The components of a process, in the order in which they were started. Closing uses the reverse
 * order, so that a component is closed before the components that it uses.
 */
export class Components implements AsyncDisposable {
  readonly #components: Component[] = [];
  readonly #closing = new AsyncDisposableStack();

  /** Adds a component that has started. */
  add(component: Component): void {
    this.#components.push(component);
    this.#closing.defer(() => component.close?.() ?? Promise.resolve());
  }

  /** Checks the readiness of every component that has a check, all at once. */
  async readiness(): Promise<{ readonly ready: boolean; readonly checks: readonly Readiness[] }> {
    const checks = await Promise.all(
      this.#components.flatMap(({ name, assertReady }) =>
        assertReady ? [readinessOf(name, assertReady)] : []
      ),
    );
    return { ready: checks.every(({ ready }) => ready), checks };
  }

  /**
   * The response to `/readyz`: JSON that names components that are not ready and why; status 503 if
   * any.
   */
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
    const warning = await Promise.race([assertReady(late.signal), timeout]);
    return { name, ready: true, ...(typeof warning === "string" && { warning }) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { name, ready: false, reason: isMpcError(error) ? error.reason : "NOT_READY", message };
  } finally {
    clearTimeout(timer);
  }
}
