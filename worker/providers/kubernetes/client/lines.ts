import { isMpcError, MpcError } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import { aborted } from "../../provider_errors.ts";
import type { Asked } from "./status_error.ts";

/**
 * The lines of a stream as they come, until it ends.
 * @throws {MpcError} UNAVAILABLE `CLUSTER_UNREACHABLE` where it breaks, or nothing has come for
 *   `idleMs`; CANCELLED `ABORTED_BY_CALLER`
 */
export async function* linesOf(
  stream: ReadableStream<Uint8Array>,
  options: {
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly asked: Asked;
    /** Null where it may be silent for ever. */
    readonly idleMs: number | null;
  },
): AsyncGenerator<string> {
  const { signal, asked } = options;
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await nextChunk(reader, options);
      rest += decoder.decode(value, { stream: !done });
      const lines = rest.split("\n");
      rest = done ? "" : lines.pop() ?? "";
      for (const line of lines) if (line !== "") yield line;
      if (done) return;
    }
  } catch (error) {
    if (signal.aborted) throw aborted(signal);
    if (isMpcError(error)) throw error;
    throw new MpcError("UNAVAILABLE", {
      reason: "CLUSTER_UNREACHABLE",
      message: `Cannot ${asked.action}: the stream from cluster '${asked.cluster}' broke`,
      cause: error,
    });
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function nextChunk(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { clock, signal, asked, idleMs }: Parameters<typeof linesOf>[1],
): Promise<ReadableStreamReadResult<Uint8Array>> {
  if (idleMs === null) return await reader.read();
  const read = new AbortController();
  const late = clock.sleep(idleMs, AbortSignal.any([read.signal, signal])).then(() => {
    throw new MpcError("UNAVAILABLE", {
      reason: "CLUSTER_UNREACHABLE",
      message:
        `Cannot ${asked.action}: cluster '${asked.cluster}' has told nothing for ${idleMs} ms`,
    });
  });
  try {
    return await Promise.race([reader.read(), late]);
  } finally {
    read.abort();
    await late.catch(() => {});
  }
}
