/**
 * The permission sets of `deno.json`: each process starts under its set, answers every method, and
 * needs each permission of it.
 */
import assert from "node:assert/strict";
import type { DescMethod } from "@bufbuild/protobuf";
import config from "../../deno.json" with { type: "json" };
import { METHODS } from "../fuzz/methods.ts";
import { addressesOf } from "../servers/platform_process.ts";
import { startDeno, type Subprocess } from "../servers/subprocess.ts";
import { taskCommand } from "../servers/task_process.ts";
import { withFolder } from "../servers/with_folder.ts";
import { workerAddressesOf } from "../servers/worker_process.ts";

/** What Deno says about a missing permission, and what the API says about it. */
const DENIED = /NotCapable|Requires \w+ access|--allow-\w+|"code":"internal"/;

const STREAM_MS = 200;
const ANSWER_MS = 30_000;

const LISTEN = ["--grpc-listen=127.0.0.1:0", "--web-listen=127.0.0.1:0", "--log-level=info"];

const EMBEDDED_WORKER = new URL("../servers/embedded_worker.ts", import.meta.url).pathname;

const ENVIRONMENT = "environments/dev";
const WORKLOAD = `${ENVIRONMENT}/workloads/web`;

/** @returns the answer, as text */
async function call(origin: URL, method: DescMethod, request: object): Promise<string> {
  const unary = method.methodKind === "unary";
  const json = new TextEncoder().encode(JSON.stringify(request));
  const body = new Uint8Array(unary ? json : [0, 0, 0, 0, json.length, ...json]);
  const response = await fetch(new URL(`${method.parent.typeName}/${method.name}`, origin), {
    method: "POST",
    headers: {
      "content-type": unary ? "application/json" : "application/connect+json",
      "connect-timeout-ms": String(unary ? ANSWER_MS : STREAM_MS),
    },
    body,
  });
  return await response.text();
}

const named = (name: string) => METHODS.find((method) => method.name === name)!;

/** Creates an environment with a workload, and calls every method about them. */
async function callEverything(origin: URL): Promise<readonly string[]> {
  const answers: string[] = [];
  const start = async (method: string, request: object) => {
    const answer = await call(origin, named(method), request);
    answers.push(answer);
    const { name } = JSON.parse(answer);
    if (!name) return;
    answers.push(await call(origin, named("WaitOperation"), { name, timeout: "20s" }));
  };
  await start("CreateEnvironment", { environmentId: "dev", environment: {} });
  const spec = { image: "nginx:1.27", env: { PASSWORD: "pineapple" } };
  await start("DeployWorkload", { parent: ENVIRONMENT, workloadId: "web", workload: { spec } });
  for (const method of METHODS) {
    const { field } = method.input;
    const place = method.name.includes("Environment") ? ENVIRONMENT : WORKLOAD;
    const request = {
      ...(field["name"] && { name: place }),
      ...(field["parent"] && { parent: place }),
      ...(field["cluster"] && { cluster: "default" }),
      ...(field["revision"] && { revision: 1 }),
    };
    answers.push(`${method.name} ${await call(origin, method, request)}`);
  }
  return answers;
}

async function stopped(process: Subprocess): Promise<void> {
  process.kill("SIGTERM");
  const { code } = await process.status;
  assert.equal(code, 0, process.output());
  assert.doesNotMatch(process.output(), DENIED);
}

Deno.test("deno task dev answers every method with its permissions, and stops", () =>
  withFolder(async (folder) => {
    const process = startDeno(["task", "--quiet", "dev", "--data-dir", folder, ...LISTEN]);
    const { web } = await addressesOf(process);
    for (const answer of await callEverything(web)) assert.doesNotMatch(answer, DENIED);
    await stopped(process);
  }));

Deno.test("deno task api answers every method with its permissions beside a worker, and both stop", () =>
  withFolder(async (folder) => {
    const env = { MPC_DATA_DIR: folder };
    const workerArgs = taskCommand("worker").args
      .map((arg) => arg === "worker/main.ts" ? EMBEDDED_WORKER : arg)
      .map((arg) => arg.replace('"$MPC_DATA_DIR"', folder));
    const listen = ["--health-listen=127.0.0.1:0", "--internal-listen=127.0.0.1:0"];
    const worker = startDeno([...workerArgs, "--simulated-delays=none", ...listen], env);
    const { internal } = await workerAddressesOf(worker);
    const args = ["task", "--quiet", "api", ...LISTEN, `--worker=${internal.origin}`];
    const api = startDeno(args, env);
    const { web } = await addressesOf(api);
    const answers = await callEverything(web);
    for (const answer of answers) assert.doesNotMatch(answer, DENIED);
    assert.ok(answers.some((answer) => answer.includes("OPERATION_STATE_SUCCEEDED")));
    await stopped(api);
    await stopped(worker);
  }));

type SetName = keyof typeof config.permissions;

/** A set as flags of `deno run`, by kind. */
function flagsOf(name: SetName): Map<string, string> {
  return new Map(
    Object.entries(config.permissions[name]).map(([kind, value]) => [
      kind,
      `--allow-${kind}${Array.isArray(value) ? `=${value.join(",")}` : ""}`,
    ]),
  );
}

/** What is only needed with other settings than here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "dev ffi": "Temporal's native client",
  "dev run": "Temporal's server and bundler",
};

for (const name of ["dev", "api"] as const) {
  Deno.test(`${name} needs each permission of its set`, async (t) => {
    await withFolder(async (folder) => {
      const { args, env } = taskCommand(name);
      const kinds = [...flagsOf(name).keys(), ...(name === "api" ? ["read", "write"] : [])];
      for (const missing of kinds) {
        if (ELSEWHERE[`${name} ${missing}`] !== undefined) continue;
        await t.step(`without ${missing}`, async () => {
          const flags = flagsOf(name);
          if (name === "api") {
            flags.set("read", `--allow-read=${folder}`).set("write", `--allow-write=${folder}`);
          }
          flags.delete(missing);
          const given = args.flatMap((arg) =>
            arg.startsWith("-P=") ? [...flags.values()] : arg.includes("$MPC") ? [] : [arg]
          );
          const denied = startDeno([...given, ...LISTEN, "--data-dir", folder], {
            ...env,
            MPC_DATA_DIR: folder,
          });
          const addresses = await addressesOf(denied).catch(() => undefined);
          const answers = addresses ? await callEverything(addresses.web) : [];
          denied.kill("SIGTERM");
          const { code } = await denied.status;
          const said = `${denied.output()}\n${answers.join("\n")}`;
          assert.ok(code !== 0 || DENIED.test(said), said);
        });
      }
    });
  });
}

Deno.test("tasks that start the product name a permission set, and no permissions of their own", () => {
  const own = Object.entries(config.tasks).filter(([name, command]) =>
    /deno run .*-P=/.test(command) || command.includes("task --quiet serve") || name === "serve"
  );
  assert.deepEqual(
    own.map(([name]) => name).filter((name) => !/^storage|^installation/.test(name)).toSorted(),
    [
      ...["serve", "dev", "dev:cluster", "api", "api:network", "codec"],
      ...["ui", "ui:network", "worker:cluster", "worker"],
    ].toSorted(),
  );
  for (const [name, command] of own) {
    const set = /-P=(\S+) \S+\.ts/.exec(command)?.[1];
    assert.ok(name === "serve" || (set && set in config.permissions), command);
    // The directory of the data is known when the task starts.
    const flags = command.match(/--allow-\w+(?:="\$MPC_\w+")?/g) ?? [];
    for (const flag of flags) assert.match(flag, /^--allow-(?:read|write)="\$MPC_/);
    assert.doesNotMatch(command, /\s-A\b/);
  }
});

Deno.test("processes that hold no clusters have neither native code nor programs nor every file", () => {
  const { api, codec, ui, worker, dev } = config.permissions;
  for (const set of [api, codec, ui]) {
    assert.deepEqual(
      Object.keys(set).filter((kind) => /^(?:ffi|run|write|import)$/.test(kind)),
      [],
    );
    assert.deepEqual(set.net, ["127.0.0.1", "localhost", "[::1]"]);
  }
  assert.ok(!("read" in api));
  assert.deepEqual([worker.run, "write" in worker], [["helm"], false]);
  assert.deepEqual([dev.run, dev.net], [["deno"], api.net]);
});
