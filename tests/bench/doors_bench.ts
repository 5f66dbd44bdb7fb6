import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { EnvironmentService, GetEnvironmentRequestSchema, OperationService } from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { goawayBurst } from "../fuzz/goaway_burst.ts";
import { startDeno, type Subprocess } from "../servers/subprocess.ts";
import type { BenchRow } from "./bench_row.ts";
import { rates } from "./measure.ts";
import { startPlatform } from "../servers/platform_process.ts";

const ECHO = new URL("./programs/echo_server.ts", import.meta.url).pathname;
const LOAD = { ms: 1_500, inFlight: 16, rounds: 5 };
const NAME = "environments/bench";

async function startEcho(mode: string): Promise<{ process: Subprocess; port: number }> {
  const process = startDeno(["run", "--allow-all", ECHO, mode]);
  const port = await process.line((line) => /^\d+$/.test(line) ? Number(line) : undefined);
  return { process, port };
}

type GrpcTransport = ReturnType<typeof createGrpcTransport>;

interface GrpcClient {
  readonly transport: GrpcTransport;
  readonly call: () => Promise<unknown>;
}

function getBy(url: URL): GrpcClient {
  const transport = createGrpcTransport(url);
  const client = createClient(EnvironmentService, transport);
  return { transport, call: () => client.getEnvironment({ name: NAME }) };
}

function listBy(transport: GrpcTransport): () => Promise<unknown> {
  const client = createClient(EnvironmentService, transport);
  const filter = "labels.team = web AND state = READY";
  return async () => {
    const { environments } = await client.listEnvironments({ pageSize: 50, filter });
    if (environments.length !== 50) throw new Error(`${environments.length} of 50`);
  };
}

/** Lists of a server with a hundred environments; the filter matches more than one page. */
async function filled({ transport }: GrpcClient): Promise<() => Promise<unknown>> {
  const environments = createClient(EnvironmentService, transport);
  const operations = createClient(OperationService, transport);
  for (let n = 0; n < 100; n++) {
    const { name } = await environments.createEnvironment({
      environmentId: `list-${n}`,
      environment: { labels: { team: n % 3 === 0 ? "api" : "web" } },
    });
    await operations.waitOperation({ name });
  }
  return listBy(transport);
}

function getByWeb(origin: string): () => Promise<unknown> {
  const message = toBinary(
    GetEnvironmentRequestSchema,
    create(GetEnvironmentRequestSchema, { name: NAME }),
  );
  const body = new Uint8Array(5 + message.length);
  new DataView(body.buffer).setUint32(1, message.length);
  body.set(message, 5);
  const headers = { "content-type": "application/grpc-web+proto", "x-grpc-web": "1" };
  const url = `${origin}/mpc.v1.EnvironmentService/GetEnvironment`;
  return async () => {
    const response = await fetch(url, { method: "POST", headers, body });
    const bytes = await response.arrayBuffer();
    if (response.status !== 200 || bytes.byteLength < 50) {
      throw new Error(`HTTP ${response.status}`);
    }
  };
}

/** Calls per second through both doors, compared with minimal servers. */
export async function run(): Promise<BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), "mpc-bench-"));
  const platform = await startPlatform(["--data-dir", directory, "--simulated-delays=none"]);
  const [guarded, unguarded, web] = await Promise.all([
    startEcho("guarded"),
    startEcho("unguarded"),
    startEcho("web"),
  ]);
  try {
    const setUp = createGrpcTransport(platform.grpc);
    const environments = createClient(EnvironmentService, setUp);
    const { name } = await environments.createEnvironment({
      environmentId: "bench",
      environment: { labels: { team: "web" } },
    });
    const operations = createClient(OperationService, setUp);
    await operations.waitOperation({ name, timeout: durationFromMs(5_000) });
    setUp.close();
    const clients = {
      unguarded: getBy(new URL(`grpc://127.0.0.1:${unguarded.port}`)),
      guarded: getBy(new URL(`grpc://127.0.0.1:${guarded.port}`)),
      get: getBy(platform.grpc),
    };
    const grpc = await rates(
      Object.fromEntries(Object.entries(clients).map(([name, { call }]) => [name, call])),
      LOAD,
    );
    const pages = { guarded: listBy(clients.guarded.transport), list: await filled(clients.get) };
    const lists = await rates(pages, LOAD);
    for (const { transport } of Object.values(clients)) transport.close();
    const byWeb = await rates({
      bare: getByWeb(`http://127.0.0.1:${web.port}`),
      get: getByWeb(platform.web.origin),
    }, LOAD);
    const died = await dies(unguarded);
    return [
      {
        name: "guarded echo",
        value: grpc["guarded"]!,
        unit: "calls/s",
        reference: "unguarded echo",
        ratio: grpc["guarded"]! / grpc["unguarded"]!,
        target: { min: 0.8 },
      },
      {
        name: "Get by gRPC",
        value: grpc["get"]!,
        unit: "calls/s",
        reference: "guarded echo",
        ratio: grpc["get"]! / grpc["guarded"]!,
        target: { min: 0.7 },
      },
      {
        name: "List of 50 with a filter by gRPC",
        value: lists["list"]!,
        unit: "calls/s",
        reference: "guarded echo of such a page",
        ratio: lists["list"]! / lists["guarded"]!,
        target: { min: 0.6 },
      },
      {
        name: "Get by gRPC-Web",
        value: byWeb["get"]!,
        unit: "calls/s",
        reference: "bare Deno.serve",
        ratio: byWeb["get"]! / byWeb["bare"]!,
        target: { min: 0.7 },
      },
      {
        name: "unguarded server under GOAWAY bursts",
        value: died,
        unit: "bursts survived of 20",
        note: died < 20 ? "it died: this is what the guard is for" : "it survived this time",
      },
    ];
  } finally {
    for (const { process } of [guarded, unguarded, web]) {
      process.kill("SIGKILL");
      await process.status;
    }
    await platform.stop();
    await rm(directory, { recursive: true });
  }
}

/** How many bursts the unguarded server survives. */
async function dies({ process, port }: { process: Subprocess; port: number }): Promise<number> {
  let ended = false;
  process.status.then(() => ended = true);
  const path = "/mpc.v1.EnvironmentService/GetEnvironment";
  for (let burst = 0; burst < 20; burst++) {
    try {
      await goawayBurst({ port }, path, 200);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return burst;
    }
    if (ended) return burst;
  }
  return 20;
}
