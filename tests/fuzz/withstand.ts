/** Attacks from one address, beside which a caller from another makes calls. */
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { EnvironmentService } from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { quantile } from "../bench/measure.ts";
import { startDeno } from "../servers/subprocess.ts";
import type { Target } from "./target.ts";

const PROGRAM = new URL("./programs/attack.ts", import.meta.url).pathname;
/** What `programs/attack.ts` can do to a door. */
export const ATTACKS = [
  "rapid reset",
  "calls without a message",
  "half-sent messages",
  "idle connections",
  "half-sent header blocks",
  "large metadata",
  "unread answers",
  "refused calls",
];
export const DOORS = ["grpc", "web"] as const;
export type DoorName = typeof DOORS[number];

const ATTACKER = "127.0.0.2";
const BETWEEN_CALLS_MS = 10;
const MAX_MEMORY_BYTES = 400 * 1024 * 1024;
const MAX_P99_MS = 500;

/**
 * Lets a door of a server be attacked for a while.
 * @returns how long another caller's calls took, in milliseconds
 * @throws {AssertionError} where the server's memory is over its limit
 */
export async function withstand(
  { platform }: Target,
  door: DoorName,
  attack: string,
  attackMs: number,
): Promise<readonly number[]> {
  const grpc = door === "grpc" ? createGrpcTransport(platform.grpc) : undefined;
  const transport = grpc ?? createGrpcWebTransport({ baseUrl: platform.web.origin });
  const { getEnvironment } = createClient(EnvironmentService, transport);
  const { port } = platform[door];
  const attacker = startDeno(["run", "--allow-all", PROGRAM, door, port, attack, ATTACKER]);
  try {
    await attacker.line((line) => line === "attacking" || undefined);
    const times: number[] = [];
    let memory = 0;
    for (const end = performance.now() + attackMs; performance.now() < end;) {
      const start = performance.now();
      await getEnvironment({ name: "environments/dev" }, { timeoutMs: 5_000 });
      times.push(performance.now() - start);
      memory = Math.max(memory, await residentBytes(platform.process.pid));
      await setTimeout(BETWEEN_CALLS_MS);
    }
    const p99 = quantile(times, 0.99);
    console.log(
      `${door}, ${attack}: ${times.length} calls, p50 ${quantile(times).toFixed(0)} ms, p99 ${
        p99.toFixed(0)
      } ms, ${(memory / 1e6).toFixed(0)} MB`,
    );
    assert.ok(memory < MAX_MEMORY_BYTES, `the process has grown to ${memory} bytes`);
    return times;
  } finally {
    attacker.kill("SIGKILL");
    await attacker.status;
    grpc?.close();
  }
}

/** Whether a caller is answered soon while another attacks. */
export function areSoon(times: readonly number[]): boolean {
  return quantile(times, 0.99) < MAX_P99_MS;
}

/** Asserts that a caller is answered soon while another attacks. */
export function assertSoon(times: readonly number[]): void {
  const p99 = quantile(times, 0.99);
  assert.ok(areSoon(times), `the p99 of ${times.length} calls is ${p99} ms`);
}

async function residentBytes(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1_024;
}
