import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventJson } from "@mpc/api/event_json";
import { type EventSink, type NewEvent, operationName } from "@mpc/domain";
import { openMemoryStore } from "@mpc/storage/memory";
import type { Store } from "@mpc/storage";
import { sendEvent, startEventsOut } from "@mpc/worker";
import { anEvent, anOperation } from "../fakes/documents.ts";
import { duringIo, FakeClock, settle } from "../fakes/fake_clock.ts";
import { SeededIds } from "../fakes/seeded_ids.ts";
import { EventReceiver, SECRET } from "../servers/event_receiver.ts";
import { withFolder } from "../servers/with_folder.ts";

const INSTALLATION = "6c4a3a9e-6f0e-4d0a-9a55-0d8a3ac5f3b1";

interface World {
  readonly store: Store;
  readonly clock: FakeClock;
  readonly receiver: EventReceiver;
  readonly outcomes: string[];
  readonly append: (...events: readonly NewEvent[]) => Promise<void>;
  /** Starts to deliver; other settings of the sink may be given as lines of YAML. */
  readonly start: (...lines: readonly string[]) => Promise<AsyncDisposable>;
  readonly write: (text: string) => Promise<void>;
  readonly entry: (id: string, ...lines: readonly string[]) => string;
  readonly sink: (id?: string) => Promise<EventSink>;
  readonly advance: (ms: number) => Promise<void>;
  /** Advances time by steps until a condition holds. */
  readonly until: (holds: () => boolean | Promise<boolean>, stepMs?: number) => Promise<void>;
}

const inWorld = (run: (world: World) => Promise<void>): Promise<void> =>
  withFolder(async (folder) => {
    await using receiver = await EventReceiver.start();
    const store = openMemoryStore({ sequenceStep: 3 });
    const clock = new FakeClock(Date.now());
    const outcomes: string[] = [];
    const secretFile = join(folder, "secret");
    const file = join(folder, "sinks.yaml");
    await writeFile(secretFile, `${SECRET}\n`);
    const entry = (id: string, ...lines: readonly string[]) =>
      [`- id: ${id}`, `  url: ${receiver.url}`, `  secretFile: ${secretFile}`]
        .concat(lines.map((line) => `  ${line}`)).join("\n") + "\n";
    const write = async (text: string) => {
      await writeFile(`${file}.new`, text);
      await rename(`${file}.new`, file);
    };
    // The wall clock stays, since the judge of signatures refuses those that are minutes old.
    const advance = async (ms: number) => {
      await clock.advance(ms);
      clock.step(-ms);
    };
    const until: World["until"] = async (holds, stepMs = 100) => {
      for (let step = 0; step < 5_000; step++) {
        await settle();
        if (await holds()) return;
        await advance(stepMs);
      }
      assert.fail("it never holds");
    };
    try {
      await run({
        store,
        clock,
        receiver,
        outcomes,
        write,
        entry,
        until,
        advance,
        append: (...events) => store.events.append(events),
        async start(...lines) {
          await write(`allow: [127.0.0.0/8]\nsinks:\n${entry("chat", ...lines)}`);
          const running = await startEventsOut({
            file,
            store,
            clock,
            ids: new SeededIds(),
            installation: INSTALLATION,
            toJson: eventJson,
            observer: {
              onAttempt: (sink, outcome) => outcomes.push(`${sink} ${outcome}`),
              onState() {},
              onStopped() {},
            },
            alone: true,
            send: (request) => {
              const sent = sendEvent(request);
              // Only time ends an attempt that the receiver does not answer.
              void duringIo(Promise.race([sent, receiver.hangs(request.id)]));
              return sent;
            },
          });
          await until(async () => await store.eventSinks.get("eventSinks/chat") !== undefined);
          return running;
        },
        async sink(id = "chat") {
          const found = await store.eventSinks.get(`eventSinks/${id}`);
          assert.ok(found);
          return found.value;
        },
      });
      assert.deepEqual(receiver.problems, []);
    } finally {
      await store.close();
    }
  });

const about = (target: string, message = "m"): NewEvent => anEvent(message, { target });

Deno.test("events are sent as signed CloudEvents with the event of the API as their data", () =>
  inWorld(async ({ append, start, receiver, until, store, sink }) => {
    await append(about("environments/old"));
    await using _ = await start();
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const operation = anOperation("o", { traceparent, state: "FAILED" });
    await append(
      anEvent("failed", {
        target: operationName("o"),
        operation: operationName("o"),
        resource: { kind: "operation", value: operation, version: 4 },
      }),
    );
    await until(() => receiver.received.length === 1);
    const [received] = receiver.received;
    assert.ok(received, "only what came after the start: from is now");
    const { event, headers } = received;
    assert.deepEqual(
      [event.type, event.source, event.subject, event["traceparent"], headers["content-type"]],
      [
        "dev.mpc.operation.v1.updated",
        `urn:uuid:${INSTALLATION}`,
        "operations/o",
        traceparent,
        "application/cloudevents+json; charset=utf-8",
      ],
    );
    const head = await store.events.head();
    assert.equal(event.id, `evt_${INSTALLATION}_${head}`);
    assert.equal(headers["webhook-id"], event.id);
    assert.equal(event.data?.["message"], "failed");
    assert.equal((event.data?.["operationResource"] as { name: string }).name, "operations/o");
    await until(async () => (await sink()).position === head);
    assert.equal((await sink()).origin, new URL(receiver.url).origin);
  }));

Deno.test("a sink from the beginning gets what its filter matches, in order for each resource", () =>
  inWorld(async ({ append, start, receiver, until, sink, store }) => {
    const names = ["environments/a", "environments/b", "environments/c"];
    for (let index = 0; index < 60; index++) await append(about(names[index % 3]!));
    // The second attempt of some events succeeds, so that others could overtake them.
    receiver.reply = ({ event }, attempt) =>
      Number(event["sequence"]) % 5 === 0 && attempt === 1 ? 500 : 200;
    await using _ = await start("from: beginning", "filter: 'target != environments/c'");
    const head = await store.events.head();
    await until(async () => (await sink()).position === head);
    for (const name of names) {
      const delivered = receiver.received.filter(({ event }) => event.subject === name)
        .map(({ event }) => Number(event["sequence"]));
      assert.equal(new Set(delivered).size, name === "environments/c" ? 0 : 20, name);
      assert.deepEqual(delivered, delivered.toSorted((a, b) => a - b), name);
    }
  }));

Deno.test("an event is retried after every failure of the receiver, with longer and longer pauses", () =>
  inWorld(async ({ append, start, receiver, until, outcomes, clock, sink }) => {
    const replies = [500, "cut", "hang", 302, 404, 503] as const;
    const times: number[] = [];
    receiver.reply = (_, attempt) => {
      times.push(clock.monotonic());
      return replies[attempt - 1] ?? 200;
    };
    await using _ = await start("timeout: 5s");
    await append(about("environments/a"));
    await until(async () => (await sink()).lastError?.status === 503);
    const { state, lastError, nextAttemptTime } = await sink();
    assert.deepEqual(
      [state, lastError?.message, typeof nextAttemptTime],
      ["RETRYING", "The receiver answers with the status 503", "number"],
    );
    await until(() => outcomes.includes("chat delivered"));
    assert.deepEqual(outcomes, [...replies.map(() => "chat retried"), "chat delivered"]);
    const pauses = times.slice(1).map((time, index) => time - times[index]!);
    for (const [index, pause] of pauses.entries()) {
      assert.ok(pause <= 1_000 * 2 ** index + 6_000, `pause ${index}: ${pause} ms`);
    }
    await until(async () => (await sink()).state === "ACTIVE");
  }));

Deno.test("a receiver that names a time to retry is left alone until then, for all resources", () =>
  inWorld(async ({ append, start, receiver, until, clock, outcomes }) => {
    const times: number[] = [];
    receiver.reply = () => {
      times.push(clock.monotonic());
      return times.length === 1 ? { status: 429, headers: { "retry-after": "120" } } : 200;
    };
    await using _ = await start();
    await append(about("environments/a"));
    await until(() => outcomes.length === 1);
    await append(about("environments/b"));
    await until(() => outcomes.length === 3);
    assert.ok(times.slice(1).every((time) => time - times[0]! >= 120_000), String(times));
  }));

Deno.test("an event that the receiver rejects is a dead letter at once, and the next ones follow", () =>
  inWorld(async ({ append, start, receiver, until, store, sink }) => {
    receiver.reply = ({ event }) => event.data?.["message"] === "bad" ? 400 : 200;
    await using _ = await start();
    await append(about("environments/a", "bad"), about("environments/a", "good"));
    const head = await store.events.head();
    await until(async () => (await sink()).position === head);
    const { items } = await store.deadLetters.list({ limit: 10 });
    assert.deepEqual(
      items.map(({ value }) => [value.event.message, value.attempts, value.error.status]),
      [["bad", 1, 400]],
    );
  }));

Deno.test("an event is a dead letter when it was retried for long enough, and can be sent again", () =>
  inWorld(async ({ append, start, receiver, until, store, outcomes }) => {
    receiver.reply = () => 500;
    await using _ = await start("giveUpAfter: 1h");
    await append(about("environments/a"));
    await until(() => outcomes.includes("chat dead"), 10_000);
    const { items: [letter] } = await store.deadLetters.list({ limit: 10 });
    assert.ok(letter && letter.value.attempts > 10);
    assert.equal(letter.value.error.time - letter.value.createTime, 0);
    receiver.reply = () => 200;
    await store.deadLetters.replace({ ...letter.value, resendTime: 1 }, letter.version);
    await until(async () => await store.deadLetters.count({}) === 0);
    assert.equal(outcomes.at(-1), "chat delivered");
  }));

Deno.test("a receiver that is gone gets nothing until it accepts a dead letter that is sent again", () =>
  inWorld(async ({ append, start, receiver, until, store, sink, advance }) => {
    receiver.reply = () => 410;
    await using _ = await start();
    await append(about("environments/a", "first"));
    await until(async () => (await sink()).state === "GONE");
    await append(about("environments/a", "second"), about("environments/b", "third"));
    await advance(3_600_000);
    assert.equal(receiver.received.length, 1);
    const { items: [letter] } = await store.deadLetters.list({ limit: 10 });
    assert.ok(letter);
    receiver.reply = () => 200;
    await store.deadLetters.replace({ ...letter.value, resendTime: 1 }, letter.version);
    await until(async () => (await sink()).position === await store.events.head());
    assert.deepEqual(
      receiver.received.map(({ event }) => event.data?.["message"]).toSorted(),
      ["first", "first", "second", "third"],
    );
    await until(async () => (await sink()).state === "ACTIVE");
  }));

Deno.test("a receiver that hangs does not slow other sinks, and bounds what is read for it", () =>
  inWorld(async ({ append, start, receiver, until, store, write, entry, sink, clock }) => {
    await using other = await EventReceiver.start();
    receiver.reply = () => "hang";
    await using _ = await start("timeout: 60s");
    const second = entry("tickets").replace(receiver.url, other.url);
    await write(`allow: [127.0.0.0/8]\nsinks:\n${entry("chat", "timeout: 60s")}${second}`);
    await until(async () => await store.eventSinks.get("eventSinks/tickets") !== undefined);
    for (let index = 0; index < 400; index++) await append(about(`environments/e-${index}`));
    const begin = clock.monotonic();
    const sent = duringIo(other.arrived(400));
    await until(async () => (await sink("tickets")).position === await store.events.head());
    await sent;
    assert.ok(clock.monotonic() - begin < 60_000);
    assert.equal(new Set(receiver.sequences).size, 8, "only so many are in flight");
    assert.notEqual((await sink()).position, await store.events.head());
    assert.deepEqual(other.problems, []);
  }));

Deno.test("a sink that the file no longer has is kept, and continues when it is back", () =>
  inWorld(async ({ append, start, receiver, until, store, write, entry, sink }) => {
    await using _ = await start();
    await append(about("environments/a", "first"));
    await until(async () => (await sink()).position === await store.events.head());
    await write("sinks: []\n");
    await until(async () => (await sink()).state === "REMOVED");
    await append(about("environments/a", "second"));
    await write(`allow: [127.0.0.1]\nsinks:\n${entry("chat")}`);
    await until(() => receiver.received.length === 2);
    assert.equal(receiver.received[1]?.event.data?.["message"], "second");
    await until(async () => (await sink()).state === "ACTIVE");
  }));

Deno.test("a sink whose events retention has removed goes on after them, and says so", () =>
  inWorld(async ({ append, start, receiver, until, store, sink }) => {
    {
      await using _ = await start();
      await append(about("environments/a"));
      await until(async () => (await sink()).position === await store.events.head());
    }
    for (const time of [1, 2, 3]) await append(anEvent("old", { time }));
    await append(about("environments/a", "new"));
    await store.events.compactBefore(Date.UTC(2029, 0, 1));
    await store.events.compactBefore(Date.UTC(2035, 0, 1));
    await append(about("environments/a", "newest"));
    await using _ = await start();
    await until(() => receiver.received.length === 2);
    assert.equal(receiver.received[1]?.event.data?.["message"], "newest");
    await until(async () =>
      /no longer has the events/.test((await sink()).lastError?.message ?? "")
    );
  }));

Deno.test("an address that is not allowed is not connected to", () =>
  inWorld(async ({ append, start, receiver, until, write, entry, sink }) => {
    await using _ = await start();
    await write(`sinks:\n${entry("chat")}`);
    await until(async () => {
      await append(about("environments/a"));
      return (await sink()).state === "RETRYING";
    }, 1_000);
    assert.match((await sink()).lastError?.message ?? "", /'127\.0\.0\.1' is loopback, not public/);
    const before = receiver.received.length;
    await append(about("environments/b"));
    await settle();
    assert.equal(receiver.received.length, before);
  }));
