/** Settings that a task is not permitted to use are rejected at its start, with the task that is. */
import assert from "node:assert/strict";
import { freePort } from "@mpc/process";
import { startDeno, type Subprocess } from "../servers/subprocess.ts";
import { startTask, taskCommand } from "../servers/task_process.ts";
import { withFolder } from "../servers/with_folder.ts";

function startDev(task: "dev" | "dev:cluster", args: readonly string[]): Subprocess {
  const command = taskCommand(task);
  const listen = ["--grpc-listen=127.0.0.1:0", "--web-listen=127.0.0.1:0"];
  return startDeno([...command.args, "--ephemeral", ...listen, ...args], command.env);
}

/** A kubeconfig in a folder, of a user whom a program gives a token. */
async function kubeconfigIn(folder: string, server: string, user: object): Promise<string> {
  const path = `${folder}/kubeconfig`;
  await Deno.writeTextFile(
    path,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "far", cluster: { server } }],
      users: [{ name: "ann", user }],
      contexts: [{ name: "far", context: { cluster: "far", user: "ann" } }],
      "current-context": "far",
    }),
  );
  return path;
}

const exec = {
  exec: { apiVersion: "client.authentication.k8s.io/v1", command: "get-a-token", args: [] },
};
const LOCAL = `https://127.0.0.1:${freePort()}`;

for (
  const [title, server, user, more, problem] of [
    [
      "charts",
      undefined,
      {},
      ["--charts", "charts"],
      /Cannot render charts: 'deno task dev' is not permitted to run 'helm'/,
    ],
    [
      "a program of a kubeconfig",
      LOCAL,
      exec,
      [],
      /'deno task dev' is not permitted to run 'get-a-token', by which the kubeconfig gets/,
    ],
    [
      "a cluster on another machine",
      "https://192.0.2.7:6443",
      { token: "t" },
      [],
      /'deno task dev' is not permitted to reach '192\.0\.2\.7:6443'/,
    ],
  ] as const
) {
  Deno.test(`dev refuses ${title}, and names the task that is permitted`, () =>
    withFolder(async (folder) => {
      const args = server === undefined
        ? more
        : ["--kubeconfig", await kubeconfigIn(folder, server, user), ...more];
      const refused = startDev("dev", args);
      assert.equal((await refused.status).code, 1, refused.output());
      assert.match(refused.output(), problem);
      assert.match(
        refused.output(),
        /start 'deno task dev:cluster' with the same flags instead\n$/,
      );
      const permitted = startDev("dev:cluster", args);
      await permitted.line((line) => /^ {2}web /.exec(line)?.[0]);
      permitted.kill("SIGTERM");
      assert.equal((await permitted.status).code, 0, permitted.output());
    }));
}

Deno.test("a worker refuses a program of a kubeconfig, and names the task that is permitted", () =>
  withFolder(async (folder) => {
    const kubeconfig = await kubeconfigIn(folder, LOCAL, exec);
    const worker = startTask("worker", folder, ["--kubeconfig", kubeconfig]);
    assert.equal((await worker.status).code, 1, worker.output());
    assert.match(
      worker.output(),
      /'deno task worker' is not permitted to run 'get-a-token'.*'deno task worker:cluster'/,
    );
  }));
