import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createHandlerContext } from "@connectrpc/connect";
import {
  EnvironmentService,
  EventService,
  GetEnvironmentRequestSchema,
  WatchEventsRequestSchema,
} from "@mpc/proto";
import { callerOf, identify } from "./identify.ts";
import { intercept, type Interceptor } from "./interceptor.ts";

const UNARY = { service: EnvironmentService, method: EnvironmentService.method.getEnvironment };
const STREAM = { service: EventService, method: EventService.method.watchEvents };
const request = create(GetEnvironmentRequestSchema, { name: "environments/dev" });
const watch = create(WatchEventsRequestSchema);

const contextOf = (target: typeof UNARY | typeof STREAM, requestHeader: HeadersInit = {}) =>
  createHandlerContext({
    ...target,
    protocolName: "grpc",
    requestMethod: "POST",
    url: "http://local",
    requestHeader,
  });

/** Records what it sees of calls. */
function recorder(name: string, seen: string[]): Interceptor {
  return {
    async around(call, next) {
      seen.push(`${name} ${call.service.typeName}/${call.method.name}`);
      const send: typeof call.send = (response) => {
        seen.push(
          `${name} ${Reflect.get(response, "name") ?? Reflect.get(response, "resumeToken")}`,
        );
        return call.send(response);
      };
      try {
        await next({ ...call, send });
        seen.push(`${name} ok`);
      } catch (error) {
        seen.push(`${name} ${ConnectError.from(error).rawMessage}`);
        throw new ConnectError(`${name} saw it`, Code.Aborted);
      }
    },
  };
}

function unary(interceptors: readonly Interceptor[], name: () => string | Promise<string>) {
  const { getEnvironment } = intercept(EnvironmentService, {
    getEnvironment: async () => ({ name: await name() }),
  }, interceptors);
  return async () => await getEnvironment?.(request, contextOf(UNARY));
}

function stream(interceptors: readonly Interceptor[], tokens: () => AsyncIterable<string>) {
  const { watchEvents } = intercept(EventService, {
    async *watchEvents() {
      for await (const resumeToken of tokens()) yield { resumeToken };
    },
  }, interceptors);
  assert.ok(watchEvents);
  return watchEvents(watch, contextOf(STREAM))[Symbol.asyncIterator]();
}

Deno.test("interceptors see the request and the response of a unary call, the first is outermost", async () => {
  const seen: string[] = [];
  const call = unary([recorder("a", seen), recorder("b", seen)], () => "dev");
  assert.deepEqual(await call(), { name: "dev" });
  const method = "mpc.v1.EnvironmentService/GetEnvironment";
  assert.deepEqual(seen, [`a ${method}`, `b ${method}`, "b dev", "a dev", "b ok", "a ok"]);
});

Deno.test("an error passes every interceptor, from the innermost to the outermost", async () => {
  const seen: string[] = [];
  const call = unary([recorder("a", seen), recorder("b", seen)], () => {
    throw new Error("broken");
  });
  await assert.rejects(call(), { rawMessage: "a saw it" });
  assert.deepEqual(seen.slice(2), ["b broken", "a b saw it"]);
});

Deno.test("a call that an interceptor does not pass on fails", async () => {
  await assert.rejects(unary([{ around: () => Promise.resolve() }], () => "dev")(), /no response/);
});

Deno.test("next() takes as long as a stream does, and each message passes it", async () => {
  const seen: string[] = [];
  const messages = stream([recorder("a", seen)], async function* () {
    yield "1";
    yield "2";
  });
  assert.deepEqual((await messages.next()).value, { resumeToken: "1" });
  assert.deepEqual(seen, ["a mpc.v1.EventService/WatchEvents", "a 1"], "the stream continues");
  assert.deepEqual((await messages.next()).value, { resumeToken: "2" });
  assert.equal((await messages.next()).done, true);
  assert.deepEqual(seen.slice(2), ["a 2", "a ok"]);
});

Deno.test("an error after the first message of a stream passes the interceptors", async () => {
  const seen: string[] = [];
  const messages = stream([recorder("a", seen)], async function* () {
    yield "1";
    throw new Error("broken");
  });
  await messages.next();
  await assert.rejects(messages.next(), { rawMessage: "a saw it" });
  assert.deepEqual(seen.slice(2), ["a broken"]);
});

Deno.test("a reader that leaves ends the method, and interceptors see it", async () => {
  const seen: string[] = [];
  let cleanedUp = false;
  const messages = stream([recorder("a", seen)], async function* () {
    try {
      for (;;) yield "1";
    } finally {
      cleanedUp = true;
    }
  });
  await messages.next();
  await messages.return?.();
  assert.ok(cleanedUp, "the method's own stream is closed");
  assert.deepEqual(seen.slice(2), ["a the reader has gone"]);
});

Deno.test("a method is asked for its next message only when the reader asks", async () => {
  let made = 0;
  const messages = stream([], async function* () {
    while (made < 10) yield String(++made);
  });
  await messages.next();
  assert.equal(made, 1);
  await messages.next();
  assert.equal(made, 2);
});

Deno.test("callerOf() finds the caller that identify() made, with its trace", async () => {
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const context = contextOf(UNARY, { traceparent });
  const { getEnvironment } = intercept(EnvironmentService, {
    getEnvironment: (_request, context) => ({ name: callerOf(context).principal }),
  }, [identify(() => Promise.resolve({ principal: "ann", groups: ["ops"], kind: "user" }))]);
  assert.deepEqual(await getEnvironment?.(request, context), { name: "ann" });
  assert.deepEqual(callerOf(context), {
    principal: "ann",
    groups: ["ops"],
    kind: "user",
    source: null,
    traceparent,
    signal: context.signal,
  });
});

Deno.test("callerOf() throws if no interceptor has identified the caller", () => {
  assert.throws(() => callerOf(contextOf(UNARY)), /Cannot tell who calls/);
});
