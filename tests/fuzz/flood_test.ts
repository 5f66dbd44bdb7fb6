/** Floods that HTTP/2's own limits allow: the gRPC door cuts the connection, and serves others. */
import assert from "node:assert/strict";
import { createClient } from "@connectrpc/connect";
import { DiagnosticsService } from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { startDeno } from "../servers/subprocess.ts";
import { FRAME, frame, join, PREFACE } from "./http2_frames.ts";

/** Few enough that HTTP/2 itself never has too many unanswered frames. */
const BATCH = 50;

/** Far more batches than one connection may send in a short time. */
const FLOOD = 60;

const FRAMES = {
  PING: frame(FRAME.PING, 0, 0, new Uint8Array(8)),
  SETTINGS: frame(FRAME.SETTINGS, 0, 0),
} as const;

const ACK = 0x1;
const HEAD_BYTES = 9;

/** A client that counts the acknowledgements of its frames. */
class Flooder implements Disposable {
  readonly #connection: Deno.Conn;
  #acks = 0;
  #left = new Uint8Array();
  #buffer = new Uint8Array(65_536);

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  static async open(port: number): Promise<Flooder> {
    const flooder = new Flooder(await Deno.connect({ hostname: "127.0.0.1", port }));
    await flooder.#write(join(PREFACE, FRAMES.SETTINGS));
    // The acknowledgement of the SETTINGS that every connection begins with.
    await flooder.#acknowledged(FRAME.SETTINGS, 1);
    return flooder;
  }

  /**
   * Sends batches, each after the previous one was acknowledged.
   * @returns how many batches were acknowledged before the server cut the connection
   */
  async flood(kind: keyof typeof FRAMES, batches: number): Promise<number> {
    const batch = join(...Array.from({ length: BATCH }, () => FRAMES[kind]));
    for (let sent = 0; sent < batches; sent++) {
      try {
        await this.#write(batch);
        if (!await this.#acknowledged(FRAME[kind], BATCH)) return sent;
      } catch (error) {
        if (isCut(error)) return sent;
        throw error;
      }
    }
    return batches;
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }

  /** Reads until this many frames were acknowledged. @returns false if the connection ends */
  async #acknowledged(type: number, count: number): Promise<boolean> {
    for (this.#acks = 0; this.#acks < count; this.#count(type)) {
      const read = await this.#connection.read(this.#buffer);
      if (read === null) return false;
      this.#left = join(this.#left, this.#buffer.subarray(0, read));
    }
    return true;
  }

  #count(type: number): void {
    while (this.#left.length >= HEAD_BYTES) {
      const [high, middle, low, found, flags] = this.#left;
      const end = HEAD_BYTES + (high! << 16 | middle! << 8 | low!);
      if (this.#left.length < end) return;
      if (found === type && (flags! & ACK) !== 0) this.#acks++;
      this.#left = this.#left.slice(end);
    }
  }
}

function isCut(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.ConnectionAborted;
}

for (const kind of ["PING", "SETTINGS"] as const) {
  Deno.test({
    name: `a flood of acknowledged ${kind} frames is cut, a trickle is not, others are served`,
    // Connections that grpc-js keeps after a client is closed do not matter here.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const script = new URL("../servers/door_server.ts", import.meta.url).pathname;
      const server = startDeno(["run", "--allow-all", script]);
      try {
        const { plain: port } = await server.line((line) =>
          line.startsWith("{") ? JSON.parse(line) : undefined
        );
        const transport = createGrpcTransport(new URL(`grpc://127.0.0.1:${port}`));
        const bystander = createClient(DiagnosticsService, transport);
        assert.equal((await bystander.getServerInfo({})).version, "test");
        using flooder = await Flooder.open(port);
        assert.equal(await flooder.flood(kind, 1), 1, "a batch does no harm");
        const passed = await flooder.flood(kind, FLOOD);
        assert.ok(passed < FLOOD, `all ${FLOOD} batches of ${BATCH} ${kind} frames passed`);
        assert.equal((await bystander.getServerInfo({})).version, "test");
        transport.close();
      } finally {
        server.kill("SIGKILL");
        await server.status;
      }
    },
  });
}
