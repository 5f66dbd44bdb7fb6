/** The dev process as a user starts it, correctly and incorrectly. */
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { EnvironmentService, OperationService, OperationState, WorkloadService } from "@mpc/proto";
import { startPlatform } from "../servers/platform_process.ts";
import { startDeno } from "../servers/subprocess.ts";

const MAIN = new URL("../../api/dev.ts", import.meta.url).pathname;

async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "mpc-server-"));
  try {
    await use(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function refused(...args: string[]): Promise<{ code: number; output: string }> {
  const process = startDeno([
    "run",
    "--no-prompt",
    "--allow-net=127.0.0.1",
    "--allow-read",
    "--allow-write",
    "--allow-env",
    "--allow-sys=homedir",
    MAIN,
    "--grpc-listen=127.0.0.1:0",
    "--web-listen=127.0.0.1:0",
    ...args,
  ]);
  const { code } = await process.status;
  const output = process.output();
  assert.match(output, /^Error: /, "a clear message");
  assert.doesNotMatch(output, / at .*:\d+:\d+/, "no stack trace");
  return { code, output };
}

const options = { sanitizeOps: false, sanitizeResources: false };

Deno.test(
  "a second start finds all data, and continues interrupted operations",
  options,
  () =>
    withDirectory(async (directory) => {
      const first = await startPlatform(["--data-dir", directory]);
      const clientsOf = (origin: string) => {
        const transport = createGrpcWebTransport({ baseUrl: origin });
        return {
          environments: createClient(EnvironmentService, transport),
          workloads: createClient(WorkloadService, transport),
          operations: createClient(OperationService, transport),
        };
      };
      const before = clientsOf(first.web.origin);
      const { name } = await before.environments.createEnvironment({
        environmentId: "dev",
        environment: {},
      });
      await before.operations.waitOperation({ name });
      const deployment = await before.workloads.deployWorkload({
        parent: "environments/dev",
        workloadId: "web",
        workload: { spec: { image: "nginx:1.27", replicas: 2 } },
      });
      await first.kill();
      const second = await startPlatform(["--data-dir", directory]);
      const after = clientsOf(second.web.origin);
      const ended = await after.operations.waitOperation({ name: deployment.name });
      assert.equal(ended.state, OperationState.SUCCEEDED);
      assert.equal((await after.environments.listEnvironments({})).environments.length, 1);
      await second.stop();
    }),
);

Deno.test(
  "of two processes on one data directory, the second is rejected",
  options,
  () =>
    withDirectory(async (directory) => {
      const first = await startPlatform(["--data-dir", directory]);
      const { code, output } = await refused("--data-dir", directory);
      assert.equal(code, 1);
      assert.match(
        output,
        new RegExp(`another process \\(pid ${first.process.pid}\\) has it open`),
      );
      await first.stop();
    }),
);

Deno.test("a port in use is reported", options, () =>
  withDirectory(async (directory) => {
    const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const address = `127.0.0.1:${(taken.addr as Deno.NetAddr).port}`;
    for (const flag of ["--grpc-listen", "--web-listen"]) {
      const { code, output } = await refused("--data-dir", directory, `${flag}=${address}`);
      assert.equal(code, 1);
      assert.match(output, /the port is in use/);
    }
    taken.close();
  }));

Deno.test(
  "a data directory that a newer version wrote is rejected",
  options,
  () =>
    withDirectory(async (directory) => {
      const database = new DatabaseSync(join(directory, "mpc.db"));
      database.exec("PRAGMA user_version = 999");
      database.close();
      const { code, output } = await refused("--data-dir", directory);
      assert.equal(code, 1);
      assert.match(output, /a newer version wrote it/);
    }),
);

Deno.test(
  "a data directory that cannot be created or written is rejected",
  options,
  () =>
    withDirectory(async (directory) => {
      const file = join(directory, "file");
      await Deno.writeTextFile(file, "");
      const { code, output } = await refused("--data-dir", join(file, "data"));
      assert.equal(code, 1);
      assert.match(output, /it cannot be created/);
      const locked = join(directory, "locked");
      await mkdir(locked);
      await mkdir(join(locked, "mpc.db"));
      await chmod(locked, 0o500);
      const second = await refused("--data-dir", locked);
      await chmod(locked, 0o700);
      assert.equal(second.code, 1);
    }),
);

Deno.test(
  "an address beyond loopback needs a task that may listen there",
  options,
  () =>
    withDirectory(async (directory) => {
      for (const flag of ["--web-listen=0.0.0.0:0", "--grpc-listen=0.0.0.0:0"]) {
        const { code, output } = await refused("--data-dir", directory, flag, "--insecure");
        assert.equal(code, 1, flag);
        assert.match(output, /Cannot listen on 0\.0\.0\.0:0: .*start 'deno task api:network'/);
      }
    }),
);

Deno.test(
  "wrong flags exit with 2 and say what is expected",
  options,
  () =>
    withDirectory(async (directory) => {
      for (
        const [flag, message] of [
          ["--web-listen=nonsense", /must be HOST:PORT/],
          ["--web-listen=0.0.0.0:0", /needs TLS \(--tls-cert and --tls-key\) and authentication/],
          ["--tls-cert=server.crt", /and --tls-key must be given together/],
          ["--tls-client-ca=clients.crt", /needs --tls-cert and --tls-key/],
          ["--cors-origin=*", /must be an origin without a path/],
          ["--log-level=loud", /must be one of debug/],
          ["--colour", /unknown option '--colour'/],
          ["--simulated-delays=some", /must be one of demo, none/],
          ["--rate-limit=0.5", /must be a whole number, 1 to 1000000/],
          ["--grace=", /must be 0 to 600/],
        ] as const
      ) {
        const { code, output } = await refused("--data-dir", directory, flag);
        assert.equal(code, 2, flag);
        assert.match(output, message);
      }
    }),
);
