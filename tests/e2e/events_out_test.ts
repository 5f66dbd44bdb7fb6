import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EventReceiver, SECRET } from "../servers/event_receiver.ts";
import { startPlatform } from "../servers/platform_process.ts";
import { withFolder } from "../servers/with_folder.ts";

const createEnvironment = async (web: URL, environmentId: string): Promise<void> => {
  const response = await fetch(new URL("mpc.v1.EnvironmentService/CreateEnvironment", web), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ environmentId, environment: {} }),
  });
  assert.equal(response.status, 200, await response.text());
};

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
      const text = JSON.stringify(after.map(({ body }) => body));
      assert.doesNotMatch(text, /planted-key/);
    } finally {
      await server.stop();
    }
    assert.doesNotMatch(server.process.output(), /planted-key|whsec_/);
    assert.deepEqual(receiver.problems, []);
  }));
