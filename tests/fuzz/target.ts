import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import assert from "node:assert/strict";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { EnvironmentService, OperationService, WorkloadService } from "@mpc/proto";
import { type PlatformProcess, startPlatform } from "../servers/platform_process.ts";

/** How much a server may grow during an attack; more is a leak. */
const MAX_GROWTH_BYTES = 96 * 1024 * 1024;

/** A server under attack: the names of its resources, and checks of its state afterwards. */
export interface Target {
  readonly platform: PlatformProcess;
  /** Names and ids of existing resources, so that requests pass the first check. */
  readonly names: readonly string[];
  /**
   * Asserts that an attack does not increase resident memory: otherwise anybody could fill the
   * server.
   */
  assertMemoryFlat(attack: () => Promise<void>): Promise<void>;
  /** Asserts that the same process still answers. */
  assertWell(): Promise<void>;
}

/** Starts a server on disk with a few resources, and stops it afterwards. */
export async function withTarget(use: (target: Target) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "mpc-fuzz-"));
  const platform = await startPlatform(["--data-dir", directory, "--simulated-delays=none"]);
  try {
    const transport = createGrpcWebTransport({ baseUrl: platform.web.origin });
    const environments = createClient(EnvironmentService, transport);
    const workloads = createClient(WorkloadService, transport);
    const operations = createClient(OperationService, transport);
    const names = ["environments/dev", "environments/dev/workloads/web", "environments/a"];
    const created = await environments.createEnvironment({
      environmentId: "dev",
      environment: { labels: { team: "web" } },
    });
    await operations.waitOperation({ name: created.name });
    const deployed = await workloads.deployWorkload({
      parent: "environments/dev",
      workloadId: "web",
      workload: { spec: { image: "nginx:1", ports: [{ port: 80 }] } },
    });
    await operations.waitOperation({ name: deployed.name });
    const { pid } = platform.process;
    await use({
      platform,
      names: [...names, created.name, deployed.name],
      async assertMemoryFlat(attack) {
        const before = await memoryBytes(pid);
        await attack();
        const growth = await memoryBytes(pid) - before;
        assert.ok(
          growth < MAX_GROWTH_BYTES,
          `the attack left ${growth} bytes behind, wanted less than ${MAX_GROWTH_BYTES}`,
        );
      },
      async assertWell() {
        const { environments: found } = await environments.listEnvironments({ pageSize: 1 }, {
          timeoutMs: 5_000,
        });
        assert.ok(found.length <= 1, "the server still answers");
        const output = platform.process.output();
        const bad = /(Internal error|[Uu]ncaught)[^]{0,2000}/.exec(output)?.[0];
        assert.equal(bad, undefined, "it logged no internal error");
      },
    });
  } finally {
    await platform.stop();
    await rm(directory, { recursive: true });
  }
}

async function memoryBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1_024;
}
