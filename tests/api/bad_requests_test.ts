/** The errors of invalid requests: every invalid field, and why. */
import assert from "node:assert/strict";
import { Code, ConnectError } from "@connectrpc/connect";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { BadRequestSchema, ErrorInfoSchema } from "@mpc/proto";
import { type Clients, created, failure, testAtAllDoors } from "./doors.ts";

/** The fields and rules for which a call is rejected. */
async function refused(call: Promise<unknown>): Promise<readonly (readonly [string, string])[]> {
  const error = await failure(call);
  assert.equal(error.code, Code.InvalidArgument, error.message);
  const [bad] = error.findDetails(BadRequestSchema);
  return bad?.fieldViolations.map(({ field, reason }) => [field, reason] as const) ?? [];
}

async function first<T>(stream: AsyncIterable<T>): Promise<T | undefined> {
  for await (const told of stream) return told;
  return undefined;
}

const CASES: Readonly<Record<string, (clients: Clients) => Promise<void>>> = {
  "a list names everything that is wrong at once": async ({ environments }) => {
    const request = { pageSize: -1, filter: "colour = red", orderBy: "colour", pageToken: "x" };
    assert.deepEqual(await refused(environments.listEnvironments(request)), [
      ["page_size", "MINIMUM"],
      ["filter", "AIP_160"],
      ["order_by", "AIP_132"],
    ]);
    assert.deepEqual(await refused(environments.listEnvironments({ ...request, orderBy: "" })), [
      ["page_size", "MINIMUM"],
      ["filter", "AIP_160"],
      ["page_token", "PAGE_TOKEN"],
    ]);
  },
  "a modified page token is rejected": async (clients) => {
    await Promise.all(["a", "b", "c"].map((id) => created(clients, id)));
    const { environments } = clients;
    const request = { pageSize: 1, orderBy: "state, create_time desc" };
    const { nextPageToken } = await environments.listEnvironments(request);
    const [query, keys, name] = JSON.parse(decodeURIComponent(atob(nextPageToken)));
    const changed = [
      [query, [], name],
      [query, [keys[0]], name],
      [query, [...keys, 1], name],
      [query, [{}, null], name],
      [query, keys, null],
      ["other", keys, name],
      [query, keys],
      null,
    ];
    for (const token of changed) {
      const pageToken = btoa(encodeURIComponent(JSON.stringify(token)));
      assert.deepEqual(await refused(environments.listEnvironments({ ...request, pageToken })), [
        ["page_token", "PAGE_TOKEN"],
      ], JSON.stringify(token));
    }
  },
  "an error in a parent or a name names the field that contains it": async (
    { environments, workloads },
  ) => {
    const parent = [["parent", "RESOURCE_NAME"]];
    assert.deepEqual(await refused(workloads.listWorkloads({ parent: "dev" })), parent);
    assert.deepEqual(await refused(workloads.listRevisions({ parent: "dev" })), parent);
    assert.deepEqual(await refused(workloads.listPods({ parent: "dev" })), parent);
    assert.deepEqual(await refused(workloads.listClusterEvents({ parent: "dev" })), parent);
    for (const allowMissing of [false, true]) {
      const update = environments.updateEnvironment({ environment: { name: "dev" }, allowMissing });
      assert.deepEqual(await refused(update), [["environment.name", "RESOURCE_NAME"]]);
    }
  },
  "a watch of something that is not a resource, and negative log lines, are rejected": async (
    clients,
  ) => {
    const watch = first(clients.events.watchEvents({ target: "environment/dev" }));
    assert.deepEqual(await refused(watch), [["target", "RESOURCE_NAME"]]);
    const name = "environments/dev/workloads/web";
    const logs = first(clients.workloads.streamLogs({ name, tail: -1 }));
    assert.deepEqual(await refused(logs), [["tail", "MINIMUM"]]);
  },
  "a resume token of a log that was reset is OUT_OF_RANGE": async ({ events }) => {
    const error = await failure(first(events.watchEvents({ resumeToken: btoa("e1:1000") })));
    assert.equal(error.code, Code.OutOfRange, "its watcher would miss 1000 events");
    assert.equal(error.findDetails(ErrorInfoSchema)[0]?.reason, "EVENTS_UNKNOWN");
  },
  "WaitOperation with a timeout of 0 answers at once, a negative one is rejected": async (
    clients,
  ) => {
    const { environments, operations } = clients;
    const { name } = await environments.createEnvironment({ environmentId: "a", environment: {} });
    assert.equal((await operations.waitOperation({ name, timeout: durationFromMs(0) })).name, name);
    const wait = operations.waitOperation({ name, timeout: durationFromMs(-1_000) });
    assert.deepEqual(await refused(wait), [["timeout", "MINIMUM"]]);
  },
  "messages name the failed action, and quote values as they were sent": async (clients) => {
    const { environments } = clients;
    const environment = { ttl: durationFromMs(3_000) };
    const short = await failure(
      environments.createEnvironment({ environmentId: "dev", environment }),
    );
    const [bad] = short.findDetails(BadRequestSchema);
    assert.equal(
      bad?.fieldViolations[0]?.description,
      "must be 1 minute to 365 days (found '3s')",
    );
    const unnamed = { environmentId: "dev", environment: {}, requestId: "a b" };
    const request = await failure(environments.createEnvironment(unnamed));
    assert.match(request.rawMessage, /^Cannot create environment: 'request_id' must be/);
    await created(clients, "dev");
    const timeout = durationFromMs(1);
    const deletion = environments.deleteEnvironment({ name: "environments/dev", timeout });
    const { rawMessage } = ConnectError.from(await failure(deletion));
    assert.match(rawMessage, /^Cannot delete environment: 'timeout' must be/);
  },
};

for (const [title, run] of Object.entries(CASES)) testAtAllDoors(title, run);
