/** A server with its records at an address of their own. */
import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { DiagnosticsService, EnvironmentService, OperationService } from "@mpc/proto";
import { startPlatform } from "../servers/platform_process.ts";
import { withFolder } from "../servers/with_folder.ts";

Deno.test({
  name: "--store says where records are, and they are there after a restart",
  // The platform's output is read in the background.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () =>
    withFolder(async (folder) => {
      const path = join(folder, "records.db");
      const args = ["--data-dir", join(folder, "data"), "--store", `sqlite:${path}`];
      const first = await startPlatform(args);
      try {
        const transport = createGrpcWebTransport({ baseUrl: first.web.origin });
        const { name } = await createClient(EnvironmentService, transport)
          .createEnvironment({ environmentId: "dev", environment: {} });
        await createClient(OperationService, transport).waitOperation({ name });
      } finally {
        await first.stop();
      }
      assert.ok((await stat(path)).isFile());
      await assert.rejects(stat(join(folder, "data", "mpc.db")), { code: "ENOENT" });
      const second = await startPlatform(args);
      try {
        const transport = createGrpcWebTransport({ baseUrl: second.web.origin });
        const { environments } = await createClient(EnvironmentService, transport)
          .listEnvironments({});
        assert.deepEqual(environments.map(({ name }) => name), ["environments/dev"]);
        const info = await createClient(DiagnosticsService, transport).getServerInfo({});
        assert.equal(info.storage, "sqlite");
      } finally {
        await second.stop();
      }
    }),
});
