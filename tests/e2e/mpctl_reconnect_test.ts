/** mpctl's followers continue when their server is killed and started again. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { startPlatform } from "../servers/platform_process.ts";
import { startDeno, type Subprocess } from "../servers/subprocess.ts";
import { openWorld } from "./mpctl_world.ts";

/** Attempts of one follower in vain: with its growing pauses they take at least six seconds. */
const ATTEMPTS_IN_VAIN = 5;

/** Holds the port of a server that is gone, until so many connections have been made to it. */
async function cutOff(port: number, connections: number): Promise<void> {
  const enough = Promise.withResolvers<void>();
  let seen = 0;
  const server = createServer((socket) => {
    socket.destroy();
    if (++seen >= connections) enough.resolve();
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  await enough.promise;
  await new Promise((resolve) => server.close(resolve));
}

const manifest = (id: string) =>
  `name: environments/dev/workloads/${id}\nspec: {image: "nginx:stuck"}\n`;

Deno.test({
  name: "every follower survives a server that is killed and comes back",
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
    const follow = (...words: string[]): Subprocess => {
      const program = startDeno([...world.command.slice(1), ...words, "--server", origin]);
      stack.defer(() => program.kill("SIGKILL"));
      return program;
    };
    const deploy = (id: string, image: string) => [
      ...["workload", "deploy", id, "--env", "dev", "--image", image],
    ];

    assert.equal((await mpctl("env", "create", "dev")).code, 0);
    assert.equal((await mpctl(...deploy("web", "nginx:1"))).code, 0);
    const name = (await mpctl(...deploy("slow", "nginx:stuck"), "--no-wait", "-o", "name"))
      .out.trim();
    const files = join(world.directory, "two.yaml");
    await writeFile(files, ["a", "b"].map(manifest).join("---\n"));

    const operation = follow("op", "watch", name, "--timeout", "2m");
    const deployment = follow(...deploy("waiting", "nginx:stuck"));
    const applied = follow("apply", "-f", files);
    const workload = follow("workload", "get", "slow", "--env", "dev", "--watch");
    const environment = follow("env", "get", "dev", "--watch", "-o", "name");
    const events = follow("event", "watch", "--target", "environments/dev");
    const logs = follow("workload", "logs", "web", "--env", "dev", "--follow");
    const followers = [operation, deployment, applied, workload, environment, events, logs];
    const has = (text: string) => (line: string) => line.includes(text) || undefined;
    await operation.line(has("await_rollout runs"));
    await deployment.line(has("await_rollout runs"));
    for (const id of ["a", "b"]) {
      await applied.line(has(`environments/dev/workloads/${id}: ▸ await_rollout runs`));
    }
    await workload.line(has("slow "));
    await environment.line(has("environments/dev"));
    await events.line(has("EXISTING environments/dev/workloads/slow"));
    await logs.line(has("starting nginx:1"));

    await platform.kill();
    for (const follower of followers) {
      await follower.line(has("The connection to the server is lost; trying again"));
    }
    // Both operations of `apply` are followed.
    await cutOff(Number(port), ATTEMPTS_IN_VAIN * (followers.length + 1));
    platform = await startPlatform([...args, `--web-listen=127.0.0.1:${port}`]);

    const list = await mpctl("op", "list", "--filter", "state = RUNNING", "-o", "name");
    for (const running of list.out.trim().split("\n")) {
      assert.equal((await mpctl("op", "cancel", running, "--reason", "tested")).code, 0);
    }
    for (const follower of [operation, deployment]) {
      assert.equal((await follower.status).code, 4, follower.output());
      assert.match(follower.output(), /Cancelled: tested/);
    }
    assert.equal((await applied.status).code, 4, applied.output());
    assert.match(applied.output(), /2 cancelled \([\d.]+m?s\)\n/);
    assert.equal((await workload.status).code, 0, workload.output());
    assert.match(workload.output(), /environments\/dev\/workloads\/slow is deleted/);

    await events.line(has("DELETED environments/dev/workloads/slow"));
    const deletions = events.output().match(/DELETED environments\/dev\/workloads\/slow/g);
    assert.equal(deletions?.length, 1, events.output());
    events.kill("SIGINT");
    assert.equal((await events.status).code, 0);
    assert.match(events.output(), /Resume with --resume \S+\n$/);

    await logs.line(has("served 40 requests"));
    const served = [...logs.output().matchAll(/served (\d+) requests/g)].map(([, n]) => Number(n));
    assert.deepEqual(served, served.map((_, index) => (index + 1) * 10), "no gap, nothing twice");

    assert.equal((await mpctl("env", "delete", "dev", "--force")).code, 0);
    assert.equal((await environment.status).code, 0, environment.output());
    for (const follower of followers) {
      const lost = follower.output().match(/The connection to the server is lost/g);
      assert.equal(lost?.length, 1, `said once: ${follower.output()}`);
    }
  },
});
