import { isMpcError, MpcError } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import { aborted } from "../../provider_errors.ts";
import type { Asked } from "./status_error.ts";
import { withTimeout } from "./with_timeout.ts";

/** The longest delay of a timer. */
const FOREVER_MS = 2 ** 31 - 1;

export interface StreamOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly asked: Asked;
  /** How long the stream may be silent; null for no limit. */
  readonly idleMs: number | null;
}

/**
 * The lines of a stream as they arrive. Fails like {@linkcode streamText}.
 * @param options.maxLength in characters; the rest of a longer line is discarded
 */
export async function* streamLines(
  stream: ReadableStream<Uint8Array>,
  options: StreamOptions & { readonly maxLength: number },
): AsyncGenerator<string> {
  const { maxLength } = options;
  let rest = "";
  for await (const text of streamText(stream, options)) {
    const lines = `${rest}${text}`.split("\n");
    rest = (lines.pop() ?? "").slice(0, maxLength);
    for (const line of lines) if (line !== "") yield line.slice(0, maxLength);
  }
  if (rest !== "") yield rest;
}

/**
 * The text of a stream as it arrives.
 * @throws {MpcError} UNAVAILABLE `CLUSTER_UNREACHABLE` if the stream breaks or is silent for
 *   `idleMs`; CANCELLED `ABORTED_BY_CALLER`
 */
export async function* streamText(
  stream: ReadableStream<Uint8Array>,
  options: StreamOptions,
): AsyncGenerator<string> {
  const { signal, asked, idleMs } = options;
  const ms = idleMs ?? FOREVER_MS;
  const late = () => streamBroken(asked, `sent nothing for ${ms} ms`);
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await withTimeout(reader.read(), { ...options, ms, late });
      yield decoder.decode(value, { stream: !done });
      if (done) return;
    }
  } catch (error) {
    if (signal.aborted) throw aborted(signal);
    throw isMpcError(error) ? error : streamBroken(asked, "ended the stream early", error);
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** The error of a stream that does not continue. */
export function streamBroken({ action, cluster }: Asked, what: string, cause?: unknown): MpcError {
  return new MpcError("UNAVAILABLE", {
    reason: "CLUSTER_UNREACHABLE",
    message: `Cannot ${action}: cluster '${cluster}' has ${what}`,
    metadata: { cluster },
    cause,
  });
}
