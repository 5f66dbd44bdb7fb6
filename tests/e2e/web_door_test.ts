/** What clients can do to the connections of the web door, with a separate process. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { quantile, residentBytes, timed } from "../bench/measure.ts";
import { FLAG, FRAME, frame, headerBlock, join, PREFACE } from "../fuzz/http2_frames.ts";
import { getVersion, rawPeer } from "../fuzz/raw_peer.ts";
import { type PlatformProcess, startPlatform } from "../servers/platform_process.ts";

const MAX_BYTES = 400 * 1024 * 1024;
const MAX_P99_MS = 500;
const OTHER_PEER = "127.0.0.2";
const PATH = "/mpc.v1.EnvironmentService/ListEnvironments";

function test(
  name: string,
  run: (platform: PlatformProcess, port: number) => Promise<void>,
  { args = [], descriptors }: { readonly args?: string[]; readonly descriptors?: number } = {},
): void {
  Deno.test({
    name: `web door: ${name}`,
    // Connections that the server cuts end at an undefined time.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const platform = await startPlatform(["--ephemeral", ...args], {
        ...(descriptors && { descriptors }),
      });
      try {
        await run(platform, Number(platform.web.port));
        assert.doesNotMatch(platform.process.output(), /[Uu]ncaught|Internal error|Terminating/);
      } finally {
        await platform.stop();
      }
    },
  });
}

/** Asserts that, during `attack`, the process stays small and another peer's calls quick. */
async function assertContained(
  { process }: PlatformProcess,
  port: number,
  attack: () => Promise<unknown>,
): Promise<void> {
  await getVersion(port, OTHER_PEER);
  const latencies: number[] = [];
  const memory: number[] = [];
  let attacking = true;
  const attacked = attack().finally(() => attacking = false);
  while (attacking || latencies.length < 300) {
    latencies.push(await timed(() => getVersion(port, OTHER_PEER)));
    if (latencies.length % 10 === 0) memory.push(await residentBytes(process.pid));
  }
  await attacked;
  const megabytes = Math.round(Math.max(...memory) / 2 ** 20);
  const p99 = Math.round(quantile(latencies, 0.99));
  assert.ok(Math.max(...memory) < MAX_BYTES, `the process grew to ${megabytes} MB`);
  assert.ok(p99 < MAX_P99_MS, `another peer's calls took ${p99} ms`);
}

test(
  "300 idle connections exclude nobody although there are only 256 descriptors",
  async (_, port) => {
    const idle = await Promise.all(Array.from({ length: 300 }, () => rawPeer(port)));
    for (let call = 0; call < 20; call++) await getVersion(port, OTHER_PEER);
    await getVersion(port);
    for (const { socket } of idle) socket.destroy();
    await getVersion(port);
  },
  { descriptors: 256 },
);

test("200 connections with 200 requests without a body each are contained", async (
  platform,
  port,
) => {
  const headers = headerBlock({
    ":method": "POST",
    ":scheme": "http",
    ":authority": "localhost",
    ":path": PATH,
    "content-type": "application/grpc-web+proto",
  });
  const requests = Array.from(
    { length: 200 },
    (_, n) => frame(FRAME.HEADERS, FLAG.END_HEADERS, 2 * n + 1, headers),
  );
  const bytes = join(PREFACE, frame(FRAME.SETTINGS, 0, 0), ...requests);
  await assertContained(platform, port, async () => {
    const peers = [];
    for (let n = 0; n < 200; n++) peers.push(await rawPeer(port, bytes));
    await Promise.all(Array.from({ length: 100 }, () => getVersion(port, "127.0.0.3")));
    for (const { socket } of peers) socket.destroy();
  });
});

test("250 incomplete bodies of 4 MB are contained", async (platform, port) => {
  const head =
    `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/grpc-web+proto\r\n` +
    "Content-Length: 4000000\r\n\r\n";
  const bytes = new Uint8Array(3_900_000).fill(0x61);
  bytes.set(new TextEncoder().encode(head));
  await assertContained(platform, port, async () => {
    const peers = [];
    for (let n = 0; n < 250; n++) peers.push(await rawPeer(port, bytes));
    await Promise.all(Array.from({ length: 100 }, () => getVersion(port, "127.0.0.3")));
    for (const { socket } of peers) socket.destroy();
  });
});

test("SIGTERM ends within its grace period despite incomplete headers and bodies", async (
  platform,
  port,
) => {
  const start = `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\n`;
  await rawPeer(port, start);
  await rawPeer(port, `${start}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{`);
  await rawPeer(port, `${start}Content-Type: application/json\r\nContent-Length: 70000\r\n\r\n{`);
  await rawPeer(port, join(PREFACE, frame(FRAME.SETTINGS, 0, 0)));
  await getVersion(port);
  const took = await timed(async () => {
    platform.process.kill("SIGTERM");
    const { code } = await platform.process.status;
    assert.equal(code, 0, platform.process.output());
  });
  assert.ok(took < 3_000, `it took ${took} ms, with a grace of 2 s`);
}, { args: ["--grace=2"] });

test("clients that abort bodies and responses cause no output that bypasses the logger", async (
  { process },
  port,
) => {
  const start = `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
  const before = process.output();
  for (const rest of ["Content-Length: 9\r\n\r\n{", "Content-Length: 99999\r\n\r\n{", "\r\n"]) {
    for (let n = 0; n < 20; n++) {
      const { socket } = await rawPeer(port, start + rest);
      await getVersion(port);
      socket.resetAndDestroy();
    }
  }
  const watch = await rawPeer(
    port,
    "POST /mpc.v1.EventService/WatchEvents HTTP/1.1\r\nHost: localhost\r\n" +
      "Content-Type: application/connect+json\r\nContent-Length: 7\r\n\r\n\0\0\0\0\x02{}",
  );
  await once(watch.socket, "data");
  watch.socket.resetAndDestroy();
  await getVersion(port);
  assert.equal(process.output(), before);
});
