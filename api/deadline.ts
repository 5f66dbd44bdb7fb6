import type { ConnectError } from "@connectrpc/connect";
import { MpcError } from "@mpc/domain";
import { afterDelay } from "@mpc/process";
import { toApiError } from "./error_codes.ts";

const GRPC_TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const CONNECT_TIMEOUT = /^\d{1,10}$/;

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/**
 * Parses the value of a `grpc-timeout` header ("gRPC over HTTP2", gRPC documentation).
 * @returns milliseconds; undefined if the value is not a timeout
 */
export function parseGrpcTimeout(value: string): number | undefined {
  const match = GRPC_TIMEOUT.exec(value);
  return match ? Number(match[1]) * UNIT_MS[match[2]!]! : undefined;
}

/** Parses the value of a `connect-timeout-ms` header ("Connect Protocol Reference"). */
export function parseConnectTimeout(value: string): number | undefined {
  return CONNECT_TIMEOUT.test(value) ? Number(value) : undefined;
}

/** The error of a call whose deadline has passed. */
export const deadlineExceeded = (): ConnectError =>
  toApiError(
    new MpcError("DEADLINE_EXCEEDED", {
      reason: "DEADLINE_EXCEEDED",
      message: "Cannot finish the call: its deadline has passed",
    }),
  );

/** The deadline of a call. Timers are set only if its signal is used. */
export class Deadline {
  readonly #end: number;
  #expired: AbortController | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(timeoutMs: number) {
    this.#end = performance.now() + timeoutMs;
  }

  /** Milliseconds; negative after the deadline. */
  get leftMs(): number {
    return this.#end - performance.now();
  }

  /** Aborts with DEADLINE_EXCEEDED. */
  get signal(): AbortSignal {
    if (this.#expired) return this.#expired.signal;
    const expired = new AbortController();
    this.#expired = expired;
    const { leftMs } = this;
    if (leftMs <= 0) expired.abort(deadlineExceeded());
    else this.#cancelTimer = afterDelay(leftMs, () => expired.abort(deadlineExceeded()));
    return expired.signal;
  }

  /** Runs a call, and fails with DEADLINE_EXCEEDED at the deadline, even if the call continues. */
  async limit<T>(call: () => T): Promise<Awaited<T>> {
    const { signal } = this;
    signal.throwIfAborted();
    const expired = Promise.withResolvers<never>();
    const expire = () => expired.reject(signal.reason);
    signal.addEventListener("abort", expire, { once: true });
    try {
      return await Promise.race([call(), expired.promise]);
    } finally {
      signal.removeEventListener("abort", expire);
    }
  }

  /** Stops the timer. Must be called when the call has ended. */
  dispose(): void {
    this.#cancelTimer?.();
  }
}
