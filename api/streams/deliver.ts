import { create, type DescMessage, type DescMethod, type MessageShape } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { Batch } from "@mpc/process";
import { toApiError } from "../error_codes.ts";
import type { DeliveryPace } from "./delivery_pace.ts";
import { joined, type ToEnvelope } from "./envelopes.ts";
import { readerTooSlow } from "./reader_too_slow.ts";

type Bytes = Uint8Array<ArrayBuffer>;
/** A message, or the fields of one. */
type Message = MessageShape<DescMessage>;

/** What a stream yields. */
export type Responses = AsyncIterable<Message | Batch<Message>>;

/** Messages are joined into chunks of about this size; a stream keeps at most one of them waiting. */
const CHUNK_BYTES = 64 * 1024;

/** How long a reader may leave a chunk unread until its stream is cut off, and then its status. */
export const STALL_MS = 15_000;

/** The connection of a stream to its reader. */
export interface Outlet {
  /** Writes a chunk. @returns false if the reader must read before the next one */
  write(chunk: Bytes): boolean;
  /** Resolves when the reader has read, or the connection has ended. */
  drained(): Promise<void>;
  /** Whether the reader has gone. */
  readonly closed: boolean;
}

export interface DeliveryOptions {
  readonly method: DescMethod;
  readonly outlet: Outlet;
  readonly encode: ToEnvelope;
  readonly pace: DeliveryPace;
  readonly stallMs: number;
  /** The call's signal. */
  readonly signal: AbortSignal;
  /** Aborts the call's signal with a reason. */
  readonly cutOff: (reason: ConnectError) => void;
}

/**
 * Writes what a stream yields, in chunks and at the reader's pace. Where the reader does not read,
 * the call is aborted with `READER_TOO_SLOW`, and its implementation may then say how to go on.
 */
export async function deliver(responses: Responses, options: DeliveryOptions): Promise<void> {
  const { outlet, pace, signal } = options;
  for await (const response of responses) {
    const batch = response instanceof Batch ? response : new Batch([response]);
    while (batch.written < batch.messages.length) {
      await pace.turn();
      if (outlet.closed) return;
      if (outlet.write(nextChunk(batch, options))) continue;
      // An implementation that continues after this does so at the reader's pace or not at all.
      if (signal.aborted) return;
      await drained(options);
      if (signal.aborted) break;
    }
  }
}

/** The next messages of a batch; from then on they count as written. */
function nextChunk(batch: Batch<Message>, { method: { output }, encode }: DeliveryOptions): Bytes {
  const envelopes: Bytes[] = [];
  for (let bytes = 0; bytes < CHUNK_BYTES && batch.written < batch.messages.length;) {
    const message = batch.messages[batch.written++]!;
    const envelope = encode(output, "$typeName" in message ? message : create(output, message));
    envelopes.push(envelope);
    bytes += envelope.length;
  }
  return joined(envelopes);
}

/** Waits until the reader has read, or the call is aborted; aborts it if that takes too long. */
async function drained({ outlet, signal, stallMs, cutOff }: DeliveryOptions): Promise<void> {
  const aborted = Promise.withResolvers<void>();
  const onAbort = () => aborted.resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(() => cutOff(toApiError(readerTooSlow())), stallMs);
  try {
    if (!signal.aborted) await Promise.race([outlet.drained(), aborted.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
