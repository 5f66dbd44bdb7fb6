/** The access file of real processes, with the permissions that their tasks give them. */
import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Code, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { AccessService, DiagnosticsService } from "@mpc/proto";
import { failure } from "../api/doors.ts";
import { addressesOf } from "../servers/platform_process.ts";
import { startDeno } from "../servers/subprocess.ts";
import { startTask, taskCommand } from "../servers/task_process.ts";
import { withFolder } from "../servers/with_folder.ts";

const options = { sanitizeOps: false, sanitizeResources: false };

const LISTEN = ["--grpc-listen=127.0.0.1:0", "--web-listen=127.0.0.1:0"];

Deno.test(
  "dev does not start with a wrong access file, and names the place",
  options,
  () =>
    withFolder(async (folder) => {
      const path = join(folder, "access.yaml");
      await writeFile(path, "bindings:\n- role: owner\n  groups: [a]\n");
      const command = taskCommand("dev");
      const process = startDeno(
        [...command.args, "--ephemeral", ...LISTEN],
        { ...command.env, MPC_ACCESS_FILE: path },
      );
      const { code } = await process.status;
      assert.notEqual(code, 0);
      const place = `Error: ${path}:2:3: bindings[0].role: 'owner' is no role`;
      assert.ok(process.output().includes(place), process.output());
    }),
);

Deno.test(
  "the API takes a changed file of its data directory, and keeps the old one instead of a wrong one",
  options,
  () =>
    withFolder(async (folder) => {
      const path = join(folder, "access.yaml");
      const replace = async (text: string) => {
        await writeFile(`${path}.new`, text);
        await rename(`${path}.new`, path);
      };
      await replace("bindings: []\n");
      const api = await addressesOf(startTask("api", folder, [...LISTEN, `--access-file=${path}`]));
      try {
        const logged = (text: string) =>
          api.process.line((line) => line.includes(text) ? line : undefined);
        await replace("bindings: []\nnonsense: 1\n");
        const line = await logged("is not used, the old one stays in force");
        assert.ok(line.includes(`${path}:2:1: nonsense: is not a field`), line);
        const readyz = await fetch(`${api.web.origin}/readyz`);
        const { checks } = await readyz.json();
        const access = checks.find(({ name }: { name: string }) => name === "access");
        assert.equal(access.ready, true, "the old file decides");
        assert.match(access.warning, /is not used, the old one stays in force: .*:2:1: nonsense/);
        const transport = createConnectTransport({ baseUrl: api.web.origin });
        await createClient(DiagnosticsService, transport).getServerInfo({}).catch((error) =>
          // No worker runs, which knows the provider.
          assert.equal(error.code, Code.Unavailable)
        );
        const refused = await failure(createClient(AccessService, transport).whoAmI({}));
        assert.equal(refused.code, Code.Unauthenticated);
        await replace("bindings:\n- {role: admin, groups: [ops]}\n");
        await logged("has changed and is in force");
      } finally {
        await api.stop();
      }
    }),
);
