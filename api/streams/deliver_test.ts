import assert from "node:assert/strict";
import { create, fromBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { Batch } from "@mpc/process";
import { EventService, type WatchEventsResponse, WatchEventsResponseSchema } from "@mpc/proto";
import { settle } from "../../tests/fakes/fake_clock.ts";
import { deliver, type Outlet } from "./deliver.ts";
import { DeliveryPace } from "./delivery_pace.ts";
import { binaryEnvelope } from "./envelopes.ts";

/** Accepts chunks; its reader reads when a test says so. */
class FakeOutlet implements Outlet {
  readonly chunks: Uint8Array[] = [];
  closed = false;
  reads = true;
  #drained: (() => void) | undefined;

  write(chunk: Uint8Array): boolean {
    this.chunks.push(chunk);
    return this.reads;
  }

  drained(): Promise<void> {
    return new Promise((resolve) => this.#drained = resolve);
  }

  read(): void {
    this.#drained?.();
  }

  /** The tokens of the messages in each chunk. */
  tokens(): string[][] {
    return this.chunks.map((chunk) => {
      const tokens: string[] = [];
      const view = new DataView(chunk.buffer, chunk.byteOffset);
      for (let at = 0; at < chunk.length;) {
        const end = at + 5 + view.getUint32(at + 1);
        const { resumeToken } = fromBinary(WatchEventsResponseSchema, chunk.subarray(at + 5, end));
        tokens.push(resumeToken[0]!);
        at = end;
      }
      return tokens;
    });
  }
}

/** A message of 30 kB: three of them make a chunk. */
const message = (token: string) =>
  create(WatchEventsResponseSchema, { resumeToken: token.padEnd(30_000, ".") });

function start(
  responses: AsyncIterable<WatchEventsResponse | Batch<WatchEventsResponse>>,
  stallMs = 1,
) {
  const outlet = new FakeOutlet();
  const abort = new AbortController();
  const delivered = deliver(responses, {
    method: EventService.method.watchEvents,
    outlet,
    encode: binaryEnvelope,
    pace: new DeliveryPace({ used: () => 0, after: () => Promise.resolve() }),
    stallMs,
    signal: abort.signal,
    cutOff: (reason) => abort.abort(reason),
  });
  return { outlet, delivered, signal: abort.signal };
}

Deno.test("a batch is written in chunks, and the messages of each are joined", async () => {
  const { outlet, delivered } = start((async function* () {
    yield message("a");
    yield new Batch([..."bcde"].map(message));
  })());
  await delivered;
  assert.deepEqual(outlet.tokens(), [["a"], ["b", "c", "d"], ["e"]]);
});

Deno.test("the next chunk waits until the reader has read", async () => {
  const batch = new Batch([..."abcd"].map(message));
  const { outlet, delivered } = start(
    (async function* () {
      yield batch;
    })(),
    60_000,
  );
  outlet.reads = false;
  await settle();
  assert.equal(batch.written, 3);
  outlet.reads = true;
  outlet.read();
  await delivered;
  assert.equal(batch.written, 4);
});

Deno.test("a reader that does not read is cut off, and the method sees how much was written", async () => {
  const batch = new Batch([..."abcd"].map(message));
  let written: number | undefined;
  const { outlet, delivered, signal } = start((async function* () {
    yield batch;
    written = batch.written;
    throw new ConnectError("ended by the method");
  })());
  outlet.reads = false;
  await assert.rejects(delivered, /ended by the method/);
  assert.equal(written, 3);
  assert.match(String(signal.reason), /READER_TOO_SLOW|not been read in time/);
});

/** Chunks that an endless method gets out before it is left. */
async function chunksUntilLeft(prepare: (outlet: FakeOutlet) => void): Promise<number> {
  let left = false;
  const { outlet, delivered } = start((async function* () {
    try {
      for (let n = 0; n < 100; n++) yield message("a");
    } finally {
      left = true;
    }
  })());
  prepare(outlet);
  await delivered;
  assert.equal(left, true);
  return outlet.chunks.length;
}

Deno.test("a method that continues after it was cut off is abandoned", async () => {
  assert.equal(await chunksUntilLeft((outlet) => outlet.reads = false), 2);
});

Deno.test("a stream whose reader has gone is abandoned", async () => {
  assert.equal(await chunksUntilLeft((outlet) => outlet.closed = true), 0);
});
