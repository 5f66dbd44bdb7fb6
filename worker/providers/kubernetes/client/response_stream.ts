import { isMpcError, MpcError } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import { aborted } from "../../provider_errors.ts";
import type { Asked } from "./status_error.ts";
import { within } from "./within.ts";

/** The longest that a timer can be set to. */
const FOREVER_MS = 2 ** 31 - 1;

export interface StreamOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly asked: Asked;
  /** How long it may be silent; null for ever. */
  readonly idleMs: number | null;
}

/**
 * The lines of a stream as they come, until it ends; fails as {@linkcode textsOf}.
 * @param longest so many characters of a line are told, the rest of it is let go
 */
export async function* linesOf(
  stream: ReadableStream<Uint8Array>,
  options: StreamOptions & { readonly longest: number },
): AsyncGenerator<string> {
  const { longest } = options;
  let rest = "";
  for await (const text of textsOf(stream, options)) {
    const lines = `${rest}${text}`.split("\n");
    rest = (lines.pop() ?? "").slice(0, longest);
    for (const line of lines) if (line !== "") yield line.slice(0, longest);
  }
  if (rest !== "") yield rest;
}

/**
 * The text of a stream as it comes, until it ends.
 * @throws {MpcError} UNAVAILABLE `CLUSTER_UNREACHABLE` where it breaks, or nothing has come for
 *   `idleMs`; CANCELLED `ABORTED_BY_CALLER`
 */
export async function* textsOf(
  stream: ReadableStream<Uint8Array>,
  options: StreamOptions,
): AsyncGenerator<string> {
  const { signal, asked, idleMs } = options;
  const ms = idleMs ?? FOREVER_MS;
  const late = () => broken(asked, `told nothing for ${ms} ms`);
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), { ...options, ms, late });
      yield decoder.decode(value, { stream: !done });
      if (done) return;
    }
  } catch (error) {
    if (signal.aborted) throw aborted(signal);
    throw isMpcError(error) ? error : broken(asked, "broken off", error);
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** What a stream fails with that does not go on. */
export function broken({ action, cluster }: Asked, what: string, cause?: unknown): MpcError {
  return new MpcError("UNAVAILABLE", {
    reason: "CLUSTER_UNREACHABLE",
    message: `Cannot ${action}: cluster '${cluster}' has ${what}`,
    cause,
  });
}
