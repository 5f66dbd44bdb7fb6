/** Servers that end their side of a connection and go on reading, as proxies do that drain. */
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { MongoNetworkError } from "mongodb";
import { isMpcError } from "@mpc/domain";
import { NO_SANITIZERS } from "@mpc/tests/servers/no_sanitizers.ts";
import {
  type EndOfConnection,
  type ScriptedMongodb,
  startScriptedMongodb,
} from "@mpc/tests/servers/scripted_mongodb.ts";
import { Calls } from "./calls.ts";
import { isTransient } from "./errors.ts";
import { type OpenDatabase, openDatabase } from "./open_database.ts";

/** Far more than a call takes that repeats a few attempts; far less than the driver's patience. */
const DEADLINE_MS = 8_000;

/** Settings that leave it to the test how long a socket waits. */
const OPTIONS = "heartbeatFrequencyMS=500&socketTimeoutMS=60000";

const open = ({ port }: ScriptedMongodb, options = OPTIONS): Promise<OpenDatabase> =>
  openDatabase(`mongodb://127.0.0.1:${port}/mpc?${options}`);

/** Makes a call as the store does. */
async function call<R>({ problem }: OpenDatabase, run: () => Promise<R>): Promise<R> {
  const calls = new Calls({ patienceMs: undefined, problem });
  return await calls.read(AbortSignal.timeout(DEADLINE_MS), run);
}

const ENDS: readonly EndOfConnection[] = [
  "before the reply",
  "within the reply",
  "after the reply",
];

for (const when of ENDS) {
  Deno.test(`a server that ends connections ${when} to the handshake`, NO_SANITIZERS, async () => {
    await using server = startScriptedMongodb();
    server.endAt("hello", when, 2);
    const opened = await openAgain(server);
    await call(opened, () => opened.database.command({ ping: 1 }));
    await opened.client.close();
    assert.equal(server.ended, 2);
  });

  Deno.test(`a server that ends connections ${when} to a heartbeat`, NO_SANITIZERS, async () => {
    await using server = startScriptedMongodb();
    server.endAt("heartbeat", when, 2);
    const opened = await open(server);
    while (server.ended < 2) await heartbeat(opened);
    await call(opened, () => opened.database.command({ ping: 1 }));
    await opened.client.close();
  });

  Deno.test(`a server that ends connections ${when} to a command`, NO_SANITIZERS, async () => {
    await using server = startScriptedMongodb();
    const opened = await open(server);
    server.endAt("find", when, 2);
    const find = () => opened.database.collection("any").find().limit(1).toArray();
    for (let count = 0; count < 3; count++) {
      assert.deepEqual(await call(opened, find), [{ _id: 1 }]);
    }
    await opened.client.close();
    assert.equal(server.ended, 2);
  });

  Deno.test(`a server that ends connections ${when} to killCursors`, NO_SANITIZERS, async () => {
    await using server = startScriptedMongodb();
    const opened = await open(server);
    server.endAt("killCursors", when, 1);
    const cursor = opened.database.collection("any").find();
    assert.ok(await cursor.next());
    await unlessLate(cursor.close());
    await call(opened, () => opened.database.command({ ping: 1 }));
    await opened.client.close();
    assert.equal(server.ended, 1);
  });
}

/**
 * Events of a socket whose other side was ended. With the driver alone a command at the first fails
 * with an EPIPE that is not a `MongoError`, and a command at the other never ends.
 */
for (const event of ["end", "finish"]) {
  Deno.test(
    `a command at the socket's '${event}' fails as a network error`,
    NO_SANITIZERS,
    async () => {
      await using server = startScriptedMongodb();
      const [opened, socket] = await openWithSocket(server);
      const ping = () => opened.database.command({ ping: 1 });
      const failed = new Promise((resolve, reject) =>
        socket.once(event, () => ping().then(reject, resolve))
      );
      await server.endAll();
      const error = await unlessLate(failed);
      assert.ok(error instanceof MongoNetworkError, String(error));
      assert.ok(isTransient(error));
      await call(opened, ping);
      await opened.client.close();
    },
  );

  Deno.test(`a client closes at its socket's '${event}'`, NO_SANITIZERS, async () => {
    await using server = startScriptedMongodb();
    const [{ client }, socket] = await openWithSocket(server);
    const closed = new Promise((resolve, reject) =>
      socket.once(event, () => client.close().then(resolve, reject))
    );
    await server.endAll();
    await unlessLate(closed);
  });
}

Deno.test(
  "a command that waits to be written fails with its connection",
  NO_SANITIZERS,
  async () => {
    await using server = startScriptedMongodb();
    const opened = await open(server, "socketTimeoutMS=300");
    server.fallSilent();
    // More than the buffers of two sockets hold.
    const large = { _id: 1, text: "x".repeat(12 * 1024 * 1024) };
    await assert.rejects(
      unlessLate(opened.database.collection<{ _id: number }>("any").insertOne(large)),
      MongoNetworkError,
    );
    await opened.client.close();
  },
);

/** Opens a database, as a program that is started again while its server cannot be reached. */
async function openAgain(server: ScriptedMongodb): Promise<OpenDatabase> {
  for (;;) {
    try {
      return await unlessLate(open(server));
    } catch (error) {
      if (!isMpcError(error, "UNAVAILABLE")) throw error;
    }
  }
}

/** A database, and the socket of the only connection in its pool. */
async function openWithSocket(server: ScriptedMongodb): Promise<[OpenDatabase, Socket]> {
  const sockets: Socket[] = [];
  const onSocket = (message: unknown) => sockets.push((message as { socket: Socket }).socket);
  subscribe("net.client.socket", onSocket);
  try {
    const opened = await open(server, `${OPTIONS}&maxPoolSize=1`);
    await opened.database.command({ ping: 1 });
    // The monitor's socket was opened before.
    return [opened, sockets.at(-1)!];
  } finally {
    unsubscribe("net.client.socket", onSocket);
  }
}

/** Resolves at the next result of a heartbeat. */
async function heartbeat({ client }: OpenDatabase): Promise<void> {
  const next = Promise.withResolvers<void>();
  client.once("serverHeartbeatSucceeded", () => next.resolve());
  client.once("serverHeartbeatFailed", () => next.resolve());
  await unlessLate(next.promise);
}

async function unlessLate<T>(promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("not within the deadline")), DEADLINE_MS);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
