/** `dev` on a database that another `dev` uses, and after that one was killed. */
import assert from "node:assert/strict";
import { withMongodbServer } from "../servers/mongodb_server.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { addressesOf } from "../servers/platform_process.ts";
import { startDeno } from "../servers/subprocess.ts";
import { taskCommand } from "../servers/task_process.ts";
import { withFolder } from "../servers/with_folder.ts";

Deno.test({
  name:
    "a second process with the embedded engine is refused, and starts after the first is killed",
  ...NO_SANITIZERS,
  fn: () =>
    withFolder((folder) =>
      withMongodbServer(async ({ uri }) => {
        const { args, env } = taskCommand("dev");
        const options = [
          "--grpc-listen=127.0.0.1:0",
          "--web-listen=127.0.0.1:0",
          `--store=${uri}platform`,
        ];
        await using started = new AsyncDisposableStack();
        const dev = () => {
          const process = startDeno([...args, ...options], { ...env, MPC_DATA_DIR: folder });
          started.defer(async () => {
            process.kill("SIGKILL");
            await process.status;
          });
          return process;
        };
        const first = dev();
        await addressesOf(first);
        const refused = dev();
        await refused.status;
        assert.match(refused.output(), /another process runs those of this store/);
        const waiting = dev();
        first.kill("SIGKILL");
        await addressesOf(waiting);
        waiting.kill("SIGTERM");
        assert.equal((await waiting.status).code, 0, waiting.output());
      })
    ),
});
