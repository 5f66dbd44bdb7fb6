/** mpctl's followers continue when their server is killed and started again. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { startPlatform } from "../servers/platform_process.ts";
import { startDeno, type Subprocess } from "../servers/subprocess.ts";
import { openWorld } from "./mpctl_world.ts";

Deno.test({
  name: "followers of an operation, a resource and events survive a restart of the server",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const world = stack.use(await openWorld());
    const args = ["--data-dir", join(world.directory, "data"), "--simulated-delays=none"];
    let platform = await startPlatform(args);
    stack.defer(() => platform.stop());
    const { origin, port } = platform.web;
    const mpctl = (...words: string[]) => world.run([...words, "--server", origin]);
    const follow = (...words: string[]): Subprocess =>
      startDeno([...world.command.slice(1), ...words, "--server", origin]);

    assert.equal((await mpctl("env", "create", "dev")).code, 0);
    const stuck = ["--env", "dev", "--image", "nginx:stuck", "--no-wait", "-o", "name"];
    const name = (await mpctl("workload", "deploy", "slow", ...stuck)).out.trim();
    const operation = follow("op", "watch", name);
    const resource = follow("workload", "get", "slow", "--env", "dev", "--watch");
    const events = follow("event", "watch", "--target", "environments/dev");
    await operation.line((line) => line.includes("await_rollout runs") || undefined);
    await resource.line((line) => line.includes("slow ") || undefined);
    await events.line((line) =>
      line.includes("EXISTING environments/dev/workloads/slow") || undefined
    );

    await platform.kill();
    await operation.line((line) => line.includes("connection to the server is lost") || undefined);
    platform = await startPlatform([...args, `--web-listen=127.0.0.1:${port}`]);
    assert.equal((await mpctl("op", "cancel", name, "--reason", "tested")).code, 0);

    assert.equal((await operation.status).code, 4, operation.output());
    assert.match(operation.output(), /Cancelled: tested/);
    assert.equal((await resource.status).code, 0, resource.output());
    assert.match(resource.output(), /environments\/dev\/workloads\/slow is deleted/);
    await events.line((line) =>
      line.includes("DELETED environments/dev/workloads/slow") || undefined
    );
    const deletions = events.output().match(/DELETED environments\/dev\/workloads\/slow/g);
    assert.equal(deletions?.length, 1, events.output());
    events.kill("SIGINT");
    assert.equal((await events.status).code, 0);
    assert.match(events.output(), /Resume with --resume \S+\n$/);
  },
});
