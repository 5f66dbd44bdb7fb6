/**
 * Four processes change the same documents, and each second one of them is killed. What was
 * acknowledged is there once, and the history of calls is linearizable.
 */
import assert from "node:assert/strict";
import type { Event } from "@mpc/domain";
import { goProgram } from "../servers/go_tool.ts";
import { mongodbUnderTest } from "../servers/mongodb_under_test.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { startDeno, type Subprocess } from "../servers/subprocess.ts";

const server = await mongodbUnderTest();

const WRITER = new URL("../servers/mongodb_writer.ts", import.meta.url).pathname;
const CHECKER = new URL("../servers/linearizability/", import.meta.url);

const PROCESSES = 4;
const DOCUMENTS = 12;
const CALLS = 2_000;
const KILL_EVERY_MS = 1_000;
const MIN_KILLS = 3;

interface Call {
  readonly client: number;
  readonly document: string;
  readonly op: string;
  readonly version: number;
  readonly value: string;
  readonly result: string;
  readonly call: number;
  readonly return: number;
}

/** What a process has printed: its calls, the last one perhaps without its end. */
function callsOf(process: Subprocess): readonly Call[] {
  const calls = new Map<string, Call>();
  for (const line of process.output().split("\n").slice(0, -1)) {
    const [, word, json] = /^(began|ended) (\{.*\})$/.exec(line) ?? [];
    if (!json) continue;
    const call: Call = JSON.parse(json);
    const unknown = { ...call, result: "unknown", return: Number.MAX_SAFE_INTEGER };
    calls.set(call.value, word === "ended" ? call : unknown);
  }
  return [...calls.values()].map((call) =>
    // Nobody knows until when a write may be made that got no answer.
    call.result === "unknown" ? { ...call, return: Number.MAX_SAFE_INTEGER } : call
  );
}

const ended = (processes: readonly Subprocess[]): number =>
  processes.flatMap(callsOf).filter(({ result }) => result !== "unknown").length;

/** Runs the writers until they have made enough calls. @returns every call */
async function runWriters(address: string): Promise<readonly Call[]> {
  const all: Subprocess[] = [];
  const start = () => {
    const process = startDeno(
      ["run", "--quiet", "--allow-all", WRITER, address, String(all.length), String(DOCUMENTS)],
    );
    all.push(process);
    return process;
  };
  const running = Array.from({ length: PROCESSES }, start);
  let kills = 0;
  try {
    await Promise.all(
      running.map((process) => process.line((line) => line === "ready" || undefined)),
    );
    while (ended(all) < CALLS) {
      await new Promise((resolve) => setTimeout(resolve, KILL_EVERY_MS));
      // On a busy machine a process may take longer than that to start.
      const working = running.filter((process) => process.output().includes("ended "));
      if (working.length < 2) continue;
      const at = running.indexOf(working[Math.floor(Math.random() * working.length)]!);
      running[at]!.kill("SIGKILL");
      await running[at]!.status;
      kills++;
      running[at] = start();
    }
  } finally {
    for (const process of running) process.kill("SIGKILL");
    await Promise.all(all.map(({ status }) => status));
  }
  const problems = all.map((process) => process.output()).filter((text) => /rror/.test(text));
  assert.deepEqual(problems, [], "no process failed by itself");
  const calls = all.flatMap(callsOf);
  assert.ok(kills >= MIN_KILLS, `only ${kills} processes were killed`);
  console.log(`${calls.length} calls of ${all.length} processes, ${kills} kills`);
  return calls;
}

/** Asserts that the events of each document are a chain of versions, each written once. */
function assertChains(calls: readonly Call[], events: readonly Event[]): void {
  const values = events.map(({ message }) => message);
  assert.equal(new Set(values).size, values.length, "no event is there twice");
  const byValue = new Map(calls.map((call) => [call.value, call]));
  const logged = new Set(values);
  const lost = calls.filter(({ op, result, value }) =>
    op !== "get" && result === "made" && !logged.has(value)
  );
  assert.deepEqual(lost, [], "every acknowledged change is in the log");
  const versions = new Map<string, number>();
  for (const { message, target } of events) {
    const call = byValue.get(message);
    assert.ok(call, `the event '${message}' belongs to a call`);
    assert.notEqual(call.result, "refused", `the rejected call '${message}' has no event`);
    const before = versions.get(target) ?? 0;
    assert.equal(call.op === "create" ? 0 : call.version, before, `${target}: '${message}'`);
    versions.set(target, call.op === "delete" ? 0 : before + 1);
  }
}

async function assertLinearizable(calls: readonly Call[]): Promise<void> {
  const child = new Deno.Command(await goProgram(CHECKER), {
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const lines = calls.map((call) => JSON.stringify({ foundVersion: 0, foundValue: "", ...call }));
  await writer.write(new TextEncoder().encode(lines.join("\n")));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  assert.ok(
    success,
    `the history is not linearizable: ${text.decode(stdout)}${text.decode(stderr)}`,
  );
}

Deno.test({
  name: "four processes, one killed each second: every acknowledged change is there once, in order",
  ...NO_SANITIZERS,
  async fn() {
    const address = server.newAddress();
    try {
      const calls = await runWriters(address);
      const store = await server.open(address);
      try {
        const head = await store.events.head();
        const events = await store.events.read(0, 1_000_000);
        assert.equal(events.length, head, "the log is complete");
        assertChains(calls, events);
        const final = new Map<string, string>();
        for (const { target, message, reason } of events) {
          final.set(target, (reason as string) === "delete" ? "" : message);
        }
        for (const [document, value] of final) {
          const found = await store.environments.get(`environments/${document}`);
          assert.equal(found?.value.labels["value"] ?? "", value, `${document} is as logged last`);
        }
      } finally {
        await store.close();
      }
      await assertLinearizable(calls);
    } finally {
      await server.drop(address);
    }
  },
});

Deno.test("the checker finds a history that is not linearizable", async () => {
  const call = { client: 0, document: "e", op: "create", version: 0, value: "a", result: "made" };
  const twice = [
    { ...call, call: 0, return: 1 },
    { ...call, client: 1, value: "b", call: 2, return: 3 },
  ];
  await assert.rejects(assertLinearizable(twice), /not linearizable/);
  await assertLinearizable([twice[0]!, { ...twice[1]!, result: "refused" }]);
});
