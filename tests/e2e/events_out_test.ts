import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EventReceiver, SECRET } from "../servers/event_receiver.ts";
import { startPlatform } from "../servers/platform_process.ts";
import { runCommand } from "../servers/run_command.ts";
import { withFolder } from "../servers/with_folder.ts";
import { bundleMpctl } from "../../cli/build/bundle.ts";
import { mpctlCommand } from "./mpctl_world.ts";

async function call(web: URL, method: string, request: unknown): Promise<string> {
  const response = await fetch(new URL(`mpc.v1.${method}`, web), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(request),
  });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return text;
}

const createEnvironment = (web: URL, environmentId: string): Promise<string> =>
  call(web, "EnvironmentService/CreateEnvironment", { environmentId, environment: {} });

Deno.test("events of a killed server are sent again after its start, and none is missing", () =>
  withFolder(async (folder) => {
    await using receiver = await EventReceiver.start();
    const file = join(folder, "sinks.yaml");
    const secretFile = join(folder, "secret");
    await writeFile(secretFile, `${SECRET}\n`);
    await writeFile(
      file,
      `allow: [127.0.0.1]\nsinks:\n- id: chat\n  url: ${receiver.url}\n  secretFile: ${secretFile}\n` +
        "  from: beginning\n",
    );
    const args = [`--data-dir=${join(folder, "data")}`, `--event-sinks-file=${file}`];
    // The answers never arrive: the server is killed between a delivery and the save of its position.
    receiver.reply = () => "hang";
    const killed = await startPlatform(args);
    await createEnvironment(killed.web, "one");
    await receiver.arrived(1);
    await killed.kill();
    const before = receiver.received.map(({ event }) => event.id);
    receiver.reply = () => 200;
    const server = await startPlatform(args);
    try {
      await createEnvironment(server.web, "two");
      const isDone = () => {
        const reasons = receiver.received.slice(before.length).map(({ event }) => event.subject);
        return reasons.includes("environments/one") && reasons.includes("environments/two");
      };
      for (let count = before.length + 1; !isDone(); count++) await receiver.arrived(count);
      const after = receiver.received.slice(before.length);
      const ids = new Set(after.map(({ event }) => event.id));
      assert.ok(before.every((id) => ids.has(id)), "what was sent before the kill is sent again");
      const rejected = new Set<string>();
      const isRejected = ({ event }: { readonly event: { readonly subject?: string } }) =>
        event.subject === "environments/three";
      receiver.reply = (received, attempt) => {
        if (!isRejected(received) || attempt > 1) return 200;
        rejected.add(received.event.id);
        return 400;
      };
      await createEnvironment(server.web, "three");
      const parent = "eventSinks/chat";
      const isResent = (id: string) =>
        receiver.received.filter(({ event }) => event.id === id).length > 1;
      while (rejected.size === 0) await receiver.arrived(receiver.received.length + 1);
      // A dead letter is recorded after its answer, so the first requests may come too early.
      while (![...rejected].some(isResent)) {
        await call(server.web, "EventSinkService/ResendDeadLetters", { parent });
      }
      const sinks = await call(server.web, "EventSinkService/ListEventSinks", {});
      assert.match(sinks, /"name":"eventSinks\/chat"/);
      assert.doesNotMatch(sinks, /planted-key|whsec_/);
      await call(server.web, "EventSinkService/ListDeadLetters", { parent });
      const bundle = join(folder, "mpctl.js");
      await bundleMpctl(bundle);
      const mpctl = async (...words: string[]) => {
        const command = [...mpctlCommand(bundle), ...words, "--server", server.web.origin];
        const env = { NO_COLOR: "1", MPC_CONFIG: join(folder, "config.yaml") };
        const { code, out, err } = await runCommand(command, { env });
        assert.equal(code, 0, err);
        assert.doesNotMatch(out + err, /planted-key|whsec_/);
        return out;
      };
      assert.match(await mpctl("sink", "list"), /chat/);
      await mpctl("sink", "dead-letters", "chat");
      await mpctl("sink", "resend", "chat");
      const text = JSON.stringify(after.map(({ body }) => body));
      assert.doesNotMatch(text, /planted-key/);
    } finally {
      await server.stop();
    }
    assert.doesNotMatch(server.process.output(), /planted-key|whsec_/);
    assert.deepEqual(receiver.problems, []);
  }));
