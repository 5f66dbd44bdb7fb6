/** The log of a running platform: its lines, what they never hold, and outputs that do not take them. */
import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkedLines, type Line } from "../servers/log_lines.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { startPlatform } from "../servers/platform_process.ts";
import { taskCommand } from "../servers/task_process.ts";
import { withFolder } from "../servers/with_folder.ts";

const EPHEMERAL = ["--ephemeral", "--simulated-delays=none"] as const;

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACEPARENT = `00-${TRACE}-00f067aa0ba902b7-01`;

type Call = (
  method: string,
  request: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<Line>;

/** Calls methods of a server by JSON; the answer is the response or the error. */
const callsOf = (web: URL): Call => async (method, request, headers = {}) => {
  const response = await fetch(new URL(`mpc.v1.${method}`, web), {
    method: "POST",
    headers: { "content-type": "application/json", traceparent: TRACEPARENT, ...headers },
    body: JSON.stringify(request),
  });
  return await response.json();
};

async function ended(call: Call, operation: Line): Promise<void> {
  assert.ok(operation["name"], JSON.stringify(operation));
  await call("OperationService/WaitOperation", { name: operation["name"], timeout: "30s" });
}

const lineOf = (text: string, part: string): string | undefined =>
  text.startsWith("{") && text.includes(part) ? text : undefined;

Deno.test(
  "every line under a mixed load is as the schema says, and no secret is in any",
  NO_SANITIZERS,
  () =>
    withFolder(async (folder) => {
      const [password, bearer, value] = ["pLaNtEd0", "pLaNtEd1", "pLaNtEd2"];
      const key = crypto.getRandomValues(new Uint8Array(32)).toBase64();
      const keyFile = join(folder, "key");
      await writeFile(keyFile, key, { mode: 0o600 });
      const platform = await startPlatform([
        ...["--data-dir", folder, "--simulated-delays=none", "--log-level=debug"],
        `--encryption-key-file=${keyFile}`,
      ]);
      const call = callsOf(platform.web);
      const requestId = "0198c7a5-7e0c-7b10-a9c8-0a3d2f1b6c55";
      const created = await call("EnvironmentService/CreateEnvironment", {
        ...{ environmentId: "dev", environment: {}, requestId },
      });
      await ended(call, created);
      const deploy = (workloadId: string, spec: object) =>
        call("WorkloadService/DeployWorkload", {
          ...{ parent: "environments/dev", workloadId, workload: { spec } },
        });
      const env = { PASSWORD: password };
      await ended(call, await deploy("web", { image: "nginx:1.27", env }));
      const broken = await deploy("broken", { image: "nginx:crash", env });
      await ended(call, broken);
      await deploy("chart", { chart: { name: "web", version: "1.0.0", values: { key: value } } });
      const injected = 'environments/x\n{"level":"error","message":"forged"}\u001b[2J\u009b31m';
      await call("EnvironmentService/GetEnvironment", { name: injected });
      await call("EnvironmentService/GetEnvironment", { name: "environments/none" }, {
        authorization: `Bearer ${bearer}`,
      });
      await call("WorkloadService/DeployWorkload", { parent: 7, workload: { spec: { env } } });
      await ended(
        call,
        await call("EnvironmentService/DeleteEnvironment", {
          ...{ name: "environments/dev", force: true },
        }),
      );
      await platform.stop();
      const output = platform.process.stdout();
      for (const secret of [password, bearer, value, key]) {
        assert.ok(!platform.process.output().includes(secret), `${secret} is in the output`);
      }
      const lines = checkedLines(output);
      const find = (wanted: Line) =>
        lines.find((line) => Object.entries(wanted).every(([key, value]) => line[key] === value)) ??
          assert.fail(`no line with ${JSON.stringify(wanted)} in ${output}`);
      const ofRpc = find({
        category: "rpc",
        method: "mpc.v1.EnvironmentService/CreateEnvironment",
      });
      assert.deepEqual(
        { ...ofRpc, time: "", durationMs: 0, operation: "" },
        {
          time: "",
          level: "info",
          category: "rpc",
          message: "mpc.v1.EnvironmentService/CreateEnvironment OK",
          method: "mpc.v1.EnvironmentService/CreateEnvironment",
          code: "OK",
          durationMs: 0,
          principal: "local",
          source: "127.0.0.1",
          protocol: "connect",
          traceId: TRACE,
          requestId,
          operation: "",
          environment: "environments/dev",
          resource: "environments/dev",
        },
      );
      assert.equal(ofRpc["operation"], created["name"]);
      const ofStep = find({ category: "steps", operation: broken["name"], outcome: "failed" });
      assert.equal(ofStep["level"], "warning");
      assert.equal(ofStep["kind"], "workload.deploy");
      assert.equal(ofStep["environment"], "environments/dev");
      assert.equal(ofStep["principal"], "local");
      assert.equal(ofStep["traceId"], TRACE);
      assert.match(String(ofStep["reason"]), /^[A-Z_]+$/);
      find({ category: "steps", operation: created["name"], outcome: "succeeded", attempt: 1 });
      find({ category: "rpc", code: "NOT_FOUND", reason: "ENVIRONMENT_NOT_FOUND" });
      const ofInjection = find({ category: "rpc", resource: injected });
      assert.notEqual(ofInjection["code"], "OK");
      assert.equal(lines.filter(({ message }) => message === "forged").length, 0);
      assert.doesNotMatch(output.replaceAll("\n", ""), /\p{Cc}/u, "no control characters");
    }),
);

Deno.test(
  "log levels change while a server runs, by their file",
  NO_SANITIZERS,
  () =>
    withFolder(async (folder) => {
      const path = join(folder, "levels");
      const write = async (levels: string) => {
        await writeFile(`${path}.new`, levels);
        await rename(`${path}.new`, path);
      };
      await write("off\n");
      const platform = await startPlatform([...EPHEMERAL, `--log-level-file=${path}`]);
      const call = callsOf(platform.web);
      try {
        await call("EnvironmentService/GetEnvironment", { name: "environments/before" });
        await write("# look closer\ninfo, storage=debug\n");
        await platform.process.line((line) => lineOf(line, "in force: info,storage=debug"));
        await call("EnvironmentService/GetEnvironment", { name: "environments/after" });
        await platform.process.line((line) => lineOf(line, "environments/after"));
        await write("loud\n");
        const wrong = await platform.process.line((line) => lineOf(line, "must be one of debug"));
        assert.equal(JSON.parse(wrong).level, "error");
        await call("EnvironmentService/GetEnvironment", { name: "environments/later" });
        await platform.process.line((line) => lineOf(line, "environments/later"));
      } finally {
        await platform.stop();
      }
      const said = checkedLines(platform.process.stdout()).map(({ resource }) => resource);
      assert.ok(!said.includes("environments/before"), "nothing was logged at level off");
    }),
);

Deno.test("--log-format=pretty writes lines for people", NO_SANITIZERS, async () => {
  const platform = await startPlatform([...EPHEMERAL, "--log-level=info", "--log-format=pretty"]);
  await callsOf(platform.web)("EnvironmentService/GetEnvironment", { name: "environments/none" });
  const line = await platform.process.line((line) => / rpc /.test(line) ? line : undefined);
  await platform.stop();
  assert.match(
    line,
    /^\d\d:\d\d:\d\d\.\d{3} INFO {4}rpc mpc\.v1\.EnvironmentService\/GetEnvironment NOT_FOUND reason=ENVIRONMENT_NOT_FOUND durationMs=/,
  );
});

/** Starts a platform whose standard output the test leaves as it is. */
async function startUnread(stdout: "piped" | "null", through: readonly string[] = []) {
  const command = taskCommand("dev");
  const [program = Deno.execPath(), ...before] = [...through, Deno.execPath()];
  const child = new Deno.Command(program, {
    args: [
      ...before,
      ...command.args,
      ...EPHEMERAL,
      ...["--grpc-listen=127.0.0.1:0", "--web-listen=127.0.0.1:0", "--rate-limit=1000000"],
      "--log-level=debug",
    ],
    env: { ...command.env, NO_COLOR: "1" },
    ...{ stdin: "null", stdout, stderr: "piped" },
  }).spawn();
  let said = "";
  const web = Promise.withResolvers<URL>();
  const read = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      said += text;
      const found = /^ {2}web +(\S+)$/m.exec(said)?.[1];
      if (found) web.resolve(new URL(found));
    }
    web.reject(new Error(`it did not start: ${said}`));
  })();
  return { child, web: await web.promise, read };
}

const LOST = /^mpc_log_lines_lost_total (\d+)$/m;

/** Calls until lines are lost; the calls themselves must succeed. */
async function callUntilLost(web: URL): Promise<void> {
  const call = callsOf(web);
  const deadline = performance.now() + 60_000;
  for (;;) {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => call("DiagnosticsService/GetServerInfo", {})),
    );
    assert.ok(answers.every(({ engine }) => engine === "embedded"));
    const page = await (await fetch(new URL("metrics", web))).text();
    if (Number(LOST.exec(page)?.[1] ?? assert.fail(page)) > 0) return;
    assert.ok(performance.now() < deadline, "no line was lost");
  }
}

const CASES = {
  "a full disk": () => startUnread("null", ["sh", "-c", 'exec "$@" > /dev/full', "sh"]),
  "a closed pipe": async () => {
    const started = await startUnread("piped");
    await started.child.stdout.cancel();
    return started;
  },
} as const;

for (const [what, start] of Object.entries(CASES)) {
  Deno.test(
    `a log that cannot be written to ${what} harms no call, and is counted`,
    NO_SANITIZERS,
    async () => {
      const { child, web, read } = await start();
      await callUntilLost(web);
      child.kill("SIGTERM");
      assert.equal((await child.status).code, 0);
      await read;
    },
  );
}

Deno.test(
  "a log that nobody reads delays neither calls nor the end of the process",
  NO_SANITIZERS,
  async () => {
    const { child, web, read } = await startUnread("piped");
    const call = callsOf(web);
    // More lines than the pipe takes.
    for (let count = 0; count < 20; count++) {
      await Promise.all(
        Array.from({ length: 50 }, () => call("DiagnosticsService/GetServerInfo", {})),
      );
    }
    child.kill("SIGTERM");
    assert.equal((await child.status).code, 0);
    await child.stdout.cancel();
    await read;
  },
);
