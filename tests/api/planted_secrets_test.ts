/**
 * Secret values are planted in variables, in values of charts and in requests that are refused, then
 * every method is called at both doors. They must be in no answer, no error, no event, no log line and
 * no file of the store; nor may an unsalted hash of one, by which it can be guessed.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  fromJson,
  type JsonObject,
  type JsonValue,
} from "@bufbuild/protobuf";
import { ConnectError, type Transport } from "@connectrpc/connect";
import { type AllInOne, startAllInOne } from "@mpc/api";
import { TokenService } from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { jsonLine, resetLogging, setLogging } from "@mpc/process";
import { aDeadLetter, anEventSink } from "../fakes/documents.ts";
import { QUIET_CONFIG } from "../fakes/quiet_config.ts";
import { METHODS as FUZZED } from "../fuzz/methods.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { withFolder } from "../servers/with_folder.ts";

/** Streams and waits end after this time. */
const STREAM_MS = 400;
const ANSWER_MS = 30_000;

const HEAD_BYTES = 5;

/** How many workloads, revisions and operations each method is called about. */
const MOST_NAMES = 6;

/** Everything that anybody could see, and where it was seen. */
class Sightings {
  readonly #planted: string[] = [];
  readonly #seen: (readonly [where: string, text: string])[] = [];

  /** Makes up a secret value. */
  plant(): string {
    const value = `pLaNtEd${crypto.randomUUID().replaceAll("-", "")}`;
    this.#planted.push(value);
    return value;
  }

  add(where: string, text: string): void {
    this.#seen.push([where, text]);
  }

  count(where: RegExp): number {
    return this.#seen.filter(([at]) => where.test(at)).length;
  }

  assertNone(): void {
    const forms = this.#planted.flatMap((value) => [
      value,
      btoa(value).replace(/=+$/, ""),
      createHash("sha256").update(value).digest("hex"),
      createHash("sha256").update(value).digest("base64url"),
    ]);
    const leaks = this.#seen.flatMap(([where, text]) => {
      const form = forms.find((each) => text.includes(each));
      if (form === undefined) return [];
      const at = text.indexOf(form);
      return [`${where}: …${text.slice(Math.max(0, at - 120), at + 60)}`];
    });
    assert.deepEqual(leaks, []);
  }
}

const METHODS = [...new Set([...FUZZED, ...TokenService.methods])];

const ENVIRONMENT = "environments/dev";
const WORKLOAD = `${ENVIRONMENT}/workloads/web`;
const SINK = "eventSinks/chat";

/** The platform under test, and its callers at both doors. */
class World {
  readonly #platform: AllInOne;
  readonly #grpc: Transport & { close(): void };
  readonly #sightings: Sightings;
  /** Credentials, which nobody asks for here. */
  readonly #authorization: string;
  /** Methods that have answered without an error. */
  readonly answered = new Set<string>();

  constructor(platform: AllInOne, sightings: Sightings) {
    this.#platform = platform;
    this.#sightings = sightings;
    this.#authorization = `Bearer ${sightings.plant()}`;
    const { host, port } = platform.grpcAddress;
    this.#grpc = createGrpcTransport(new URL(`grpc://${host}:${port}`));
  }

  close(): void {
    this.#grpc.close();
  }

  /** Calls a method at the web door, with JSON that its request need not understand. */
  async call(called: string | DescMethod, request: JsonValue): Promise<JsonObject> {
    const method = typeof called === "string" ? methodOf(called) : called;
    const name = fullName(method);
    const unary = method.methodKind === "unary";
    const body = new TextEncoder().encode(JSON.stringify(request));
    const { host, port } = this.#platform.webAddress;
    const response = await fetch(
      `http://${host}:${port}/${name}`,
      {
        method: "POST",
        headers: {
          "content-type": unary ? "application/json" : "application/connect+json",
          authorization: this.#authorization,
          "connect-timeout-ms": String(unary ? ANSWER_MS : STREAM_MS),
        },
        body: unary ? body : enveloped(body),
      },
    );
    const text = await response.text();
    this.#sightings.add(`web ${name}`, `${JSON.stringify([...response.headers])} ${text}`);
    if (!response.ok || !unary) {
      if (!unary && text.includes('"result"') || text.includes('"line"')) this.answered.add(name);
      return {};
    }
    this.answered.add(name);
    return JSON.parse(text);
  }

  /** Calls a method at the gRPC door. */
  async callGrpc(method: DescMethod, request: JsonValue): Promise<void> {
    const name = fullName(method);
    const where = `grpc ${name}`;
    const see = (value: unknown) => this.#sightings.add(where, inText(value));
    const message = fromJson(method.input, request);
    try {
      if (isUnary(method)) {
        const answer = await this.#grpc.unary(method, undefined, ANSWER_MS, undefined, message);
        see([answer.message, [...answer.header], [...answer.trailer]]);
        this.answered.add(name);
        return;
      }
      const input = (async function* () {
        yield await Promise.resolve(message);
      })();
      const stream = await this.#grpc.stream(
        method as DescMethodStreaming,
        undefined,
        STREAM_MS,
        undefined,
        input,
      );
      for await (const each of stream.message) {
        see(each);
        this.answered.add(name);
      }
    } catch (thrown) {
      const error = ConnectError.from(thrown);
      see([error.message, error.details.map(({ value }) => value), [...error.metadata]]);
    }
  }

  /** Deploys a spec and waits until that has ended, well or not. */
  async deploy(id: string, spec: JsonObject, more: JsonObject = {}): Promise<string> {
    const request = { parent: ENVIRONMENT, workloadId: id, workload: { spec }, ...more };
    const { name = "" } = await this.call("DeployWorkload", request);
    if (name !== "") await this.call("WaitOperation", { name, timeout: "20s" });
    return String(name);
  }
}

const methodOf = (name: string): DescMethod =>
  METHODS.find((method) => method.name === name) ?? assert.fail(`there is no method ${name}`);

const isUnary = (method: DescMethod): method is DescMethodUnary => method.methodKind === "unary";

const fullName = ({ parent, name }: DescMethod) => `${parent.typeName}/${name}`;

/** Errors and their causes too. */
const inDepth = (value: unknown): string =>
  Deno.inspect(value, { depth: 12, strAbbreviateSize: 100_000, iterableLimit: 1_000 });

const inText = (value: unknown): string =>
  JSON.stringify(
    value,
    (_, each) =>
      typeof each === "bigint"
        ? String(each)
        : each instanceof Uint8Array
        ? new TextDecoder("latin1").decode(each)
        : each,
  );

function enveloped(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(HEAD_BYTES + bytes.length);
  new DataView(body.buffer).setUint32(1, bytes.length);
  body.set(bytes, HEAD_BYTES);
  return body;
}

/** Values in whose place a field wants another one. */
const MISFITS: readonly JsonValue[] = [
  ...["", "\0", "x".repeat(5_000), "é\n", "*", -1, 1.5, 1e9, true, null],
  ...[[], {}, [{}], { a: {} }],
];

/** The same JSON with one value replaced, for every value in it. */
function* withMisfits(json: JsonValue): Generator<JsonValue> {
  yield* MISFITS;
  if (Array.isArray(json)) {
    for (const [index, each] of json.entries()) {
      for (const misfit of withMisfits(each)) yield json.with(index, misfit);
    }
  } else if (typeof json === "object" && json !== null) {
    for (const [key, each] of Object.entries(json)) {
      for (const misfit of withMisfits(each)) yield { ...json, [key]: misfit };
      yield { ...json, [`${key}!`]: each };
    }
  }
}

/** Requests for every method, with each name that fits. */
function requestsFor(
  { input }: DescMethod,
  names: readonly string[],
): readonly JsonObject[] {
  const has = (field: string) => input.field[field] !== undefined;
  const places = has("name")
    ? names.map((name) => ({ name }))
    : has("parent")
    ? [...names, "environments/-"].map((parent) => ({ parent }))
    : [{}];
  const options = [
    ...(has("validateOnly") ? [{ validateOnly: true }] : []),
    ...(has("filter") ? [{ filter: "state = READY" }] : []),
    ...(has("revision") ? [{ revision: 1 }] : []),
    {},
  ];
  const environment = has("environment") && has("updateMask")
    ? { environment: { name: ENVIRONMENT, labels: { a: "b" } }, updateMask: "labels" }
    : {};
  const others = {
    ...(has("cluster") && { cluster: "default" }),
    ...(has("permission") && { permission: "workloads.get" }),
  };
  return places.flatMap((place) =>
    options.map((option) => ({ ...environment, ...others, ...place, ...option }))
  );
}

/** Methods that no server must have, and those that need an access file. */
const UNANSWERED = [
  ...["ListOperations", "DeleteOperation"].map((name) => `google.longrunning.Operations/${name}`),
  ...["CreateToken", "RevokeToken"].map((name) => `mpc.v1.TokenService/${name}`),
];

const READS = /^(?:Get|List|Watch|Wait|Explain|Diagnose|StreamLogs)/;

Deno.test(
  "no planted secret leaves the platform, whatever is called",
  NO_SANITIZERS,
  () =>
    withFolder(async (folder) => {
      const sightings = new Sightings();
      setLogging({ base: "debug", categories: {} }, (record) =>
        sightings.add("log", `${jsonLine(record)} ${inDepth(record)}`));
      const platform = await startAllInOne({
        ...QUIET_CONFIG,
        store: `sqlite:${join(folder, "mpc.db")}`,
        dataDir: folder,
        encryptionKeys: crypto.getRandomValues(new Uint8Array(32)).toBase64(),
      });
      const world = new World(platform, sightings);
      try {
        await plantEverywhere(world, sightings);
        await keepDeadLetter(platform);
        const names = await namesOf(platform);
        const calls = METHODS.flatMap((method) =>
          requestsFor(method, names).map((request) => ({ method, request }))
        );
        const [reads, changes] = [true, false].map((wanted) =>
          calls.filter(({ method }) =>
            READS.test(method.name) === wanted
          )
        );
        for (const { method, request } of reads!) {
          await Promise.all([world.call(method, request), world.callGrpc(method, request)]);
        }
        await sendMisfits(world, sightings);
        // Deletions come last, since nothing is left to call about after them.
        const isDeletion = ({ method }: { readonly method: DescMethod }) =>
          Number(method.name.startsWith("Delete"));
        const ordered = changes!.toSorted((one, other) => isDeletion(one) - isDeletion(other));
        for (const { method, request } of ordered) {
          await world.call(method, request);
          await world.callGrpc(method, request);
        }
        await world.call("DeleteEnvironment", { name: ENVIRONMENT, force: true });
        for (const { method, request } of reads!) {
          if (/Event|Operation/.test(method.name)) await world.callGrpc(method, request);
        }
      } finally {
        world.close();
        await addFiles(folder, sightings);
        await platform.close();
        await addFiles(folder, sightings);
        resetLogging();
      }
      sightings.assertNone();
      const silent = METHODS.map(fullName).filter((name) => !world.answered.has(name));
      assert.deepEqual(
        silent.toSorted(),
        UNANSWERED.toSorted(),
        "every other method has answered at least once",
      );
      assert.ok(sightings.count(/^log$/) > 100 && sightings.count(/^file/) > 2);
    }),
);

/** Deploys secrets in every way, successfully and not. */
async function plantEverywhere(world: World, sightings: Sightings): Promise<void> {
  const { name } = await world.call("CreateEnvironment", { environmentId: "dev", environment: {} });
  await world.call("WaitOperation", { name: name!, timeout: "20s" });
  const env = () => ({ PASSWORD: sightings.plant(), OTHER: sightings.plant() });
  const image = "nginx:1.27";
  for (let revision = 1; revision <= 3; revision++) {
    await world.deploy("web", { image, env: env() });
  }
  for (const tag of ["missing", "crash", "unschedulable", "stuck"]) {
    await world.deploy("web", { image: `nginx:${tag}`, env: env() }, { timeout: "5s" });
    await world.deploy(tag, { image: `nginx:${tag}`, env: env() }, { timeout: "5s" });
  }
  const values = { db: { password: sightings.plant(), list: [sightings.plant(), 7] } };
  await world.deploy("chart", { chart: { name: "web", version: "1.0.0", values } });
  for (const validateOnly of [true, false]) {
    const more = { validateOnly, planHash: validateOnly ? "" : "outdated" };
    await world.deploy("web", { image, env: env() }, more);
  }
  for (let twice = 0; twice < 2; twice++) {
    // The second has another body under the same id.
    const requestId = "f47ac10b-58cc-4372-a567-0e02b2c3d479";
    await world.deploy("web", { image, env: env() }, { requestId });
  }
  for (const cancel of METHODS.filter((method) => method.name === "CancelOperation")) {
    const running = await world.call("DeployWorkload", {
      parent: ENVIRONMENT,
      workloadId: "cancelled",
      workload: { spec: { image: "nginx:stuck", env: env() } },
    });
    const name = running["name"]!;
    await world.call(cancel, { name });
    await world.call("WaitOperation", { name, timeout: "20s" });
  }
  const failed = await world.deploy("failed", { image: "nginx:missing", env: env() });
  await world.call("RetryOperation", { name: failed });
}

/** Sends deployments in which one value after the other is wrong, beside secrets and as secrets. */
async function sendMisfits(world: World, sightings: Sightings): Promise<void> {
  const secret = sightings.plant();
  const specs: readonly JsonObject[] = [
    {
      image: "nginx:1.27",
      env: { PASSWORD: secret },
      envFrom: [{ variable: "A", secret: "keys" }],
      ports: [{ port: 80 }],
      resources: { cpu: "1" },
    },
    { chart: { name: "web", version: "1.0.0", values: { password: secret, list: [secret] } } },
  ];
  const requests = specs.flatMap((spec) => [
    ...withMisfits({ parent: ENVIRONMENT, workloadId: "web", workload: { spec } }),
  ]);
  const asSecrets = [[secret], { a: secret }].flatMap((value): readonly JsonObject[] => [
    { image: "nginx:1.27", env: { PASSWORD: value } },
    { image: "nginx:1.27", env: value },
    { chart: { name: "web", version: "1.0.0", values: value } },
  ]);
  const all = [
    ...requests,
    { parent: ENVIRONMENT, workloadId: "web", workload: { spec: specs[0]! }, more: secret },
    ...asSecrets.map((spec) => ({ parent: ENVIRONMENT, workloadId: "web", workload: { spec } })),
    ...["bad name", "9", "=", "É"].map((key) => ({
      parent: ENVIRONMENT,
      workloadId: "web",
      workload: { spec: { image: "nginx:1.27", env: { [key]: secret } } },
    })),
  ];
  for (const request of all) await world.call("DeployWorkload", request);
}

/** The names of everything that the store has. */
async function namesOf({ store }: AllInOne): Promise<readonly string[]> {
  const pages = await Promise.all([
    store.workloads.list({ limit: 100 }),
    store.revisions.list({ limit: 100 }),
    store.operations.list({ limit: 100 }),
  ]);
  const [, revisions] = pages;
  const planted = revisions.items.filter(({ value }) =>
    /^pLaNtEd/.test(value.spec.env["PASSWORD"]!)
  );
  assert.ok(planted.length > 2, "the store knows the secrets, and decrypts them");
  const all = pages.flatMap(({ items }) => items.map(({ value }) => value.name).slice(-MOST_NAMES));
  assert.ok(all.includes(WORKLOAD));
  return [ENVIRONMENT, SINK, ...all];
}

/** A sink that has refused the event of a workload with secrets. */
async function keepDeadLetter({ store }: AllInOne): Promise<void> {
  const events = await store.events.read(0, 1_000);
  const event = events.findLast(({ resource }) => resource?.kind === "workload");
  assert.ok(event, "a workload with secrets has changed");
  await store.eventSinks.create(anEventSink("chat"));
  const { sequence } = event;
  await store.deadLetters.create(aDeadLetter("chat", sequence, { event }));
}

/** Files of the store; the simulated cluster stands for a real one, which knows secrets. */
async function addFiles(folder: string, sightings: Sightings): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith("mpc.db")) continue;
    sightings.add(`file ${name}`, await readFile(join(folder, name), "latin1"));
  }
}
