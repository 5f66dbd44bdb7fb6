/** Lists, watches and logs, in whatever pieces a server sends them. */
import assert from "node:assert/strict";
import { rejectsWith } from "../../../../tests/fakes/rejects.ts";
import {
  call,
  DEV,
  serverTest,
  status,
  stream,
} from "../../../../tests/servers/scripted_kube_server.ts";
import type { HttpKubeClient } from "./http_kube_client.ts";
import { CONFIG_MAP } from "./kinds.ts";
import type { WatchEvent } from "./kube_client.ts";

serverTest(
  "a long list is read page by page",
  (request) => {
    const next = new URL(request.url).searchParams.get("continue");
    const item = (name: string) => ({ metadata: { name } });
    return Response.json(
      next
        ? { metadata: { resourceVersion: "7" }, items: [item("b")] }
        : { metadata: { resourceVersion: "7", continue: "more" }, items: [item("a")] },
    );
  },
  async ({ client }) => {
    const { items, resourceVersion } = await client.list(CONFIG_MAP, {}, call());
    assert.deepEqual(items.map(({ kind, metadata }) => [kind, metadata.name]), [
      ["ConfigMap", "a"],
      ["ConfigMap", "b"],
    ]);
    assert.equal(resourceVersion, "7");
  },
);

const page = (name: string, more: object = {}) =>
  Response.json({ metadata: { resourceVersion: "7", ...more }, items: [{ metadata: { name } }] });

serverTest(
  "a list whose pages expire begins again",
  (request, call) => {
    const at = new URL(request.url).searchParams.get("continue");
    if (at === null) return page("first", { continue: "more" });
    return call === 2 ? status(410, { reason: "Expired" }) : page("second");
  },
  async ({ client, requests }) => {
    const { items } = await client.list(CONFIG_MAP, { namespace: "dev" }, call());
    assert.deepEqual(items.map(({ metadata }) => metadata.name), ["first", "second"]);
    assert.equal(requests.length, 4);
  },
);

serverTest(
  "a list whose pages always expire fails",
  (request) =>
    new URL(request.url).searchParams.has("continue")
      ? status(410, { reason: "Expired" })
      : page("first", { continue: "more" }),
  async ({ client, requests }) => {
    const list = client.list(CONFIG_MAP, { namespace: "dev" }, call());
    await rejectsWith(list, "OUT_OF_RANGE", "WATCH_EXPIRED");
    assert.equal(requests.length, 6);
  },
);

const object = (name: string) => ({ ...CONFIG_MAP, metadata: { name, resourceVersion: "8" } });
const added = `${JSON.stringify({ type: "ADDED", object: object("ä") })}\n`;
const bookmark = `${JSON.stringify({ type: "BOOKMARK", object: object("") })}\n`;
const expired = `${JSON.stringify({ type: "ERROR", object: { code: 410, message: "too old" } })}\n`;

async function watched(client: HttpKubeClient, into: WatchEvent["type"][]): Promise<void> {
  const events = client.watch(CONFIG_MAP, {}, { ...call(), resourceVersion: "7" });
  for await (const { type } of events) into.push(type);
}

serverTest(
  "a watch reads events that are split across chunks, and reports an expired version",
  () => stream(added.slice(0, 60), added.slice(60) + bookmark, expired),
  async ({ client, requests }) => {
    const seen: WatchEvent["type"][] = [];
    await rejectsWith(watched(client, seen), "OUT_OF_RANGE", "WATCH_EXPIRED");
    assert.deepEqual(seen, ["OPENED", "ADDED", "BOOKMARK"]);
    const { searchParams } = new URL(requests[0]!.url);
    assert.deepEqual(
      ["watch", "allowWatchBookmarks", "resourceVersion"].map((name) => searchParams.get(name)),
      ["true", "true", "7"],
    );
  },
);

serverTest(
  "a watch that is silent for too long is UNAVAILABLE",
  () => stream(added),
  async ({ impatient }) => {
    const error = await rejectsWith(watched(impatient, []), "UNAVAILABLE", "CLUSTER_UNREACHABLE");
    assert.match(error.message, /has sent nothing for 200 ms/);
  },
);

serverTest(
  "a truncated watch and a response that does not end are UNAVAILABLE",
  (request) =>
    request.url.includes("watch=true") ? new Response(added.slice(0, 60)) : stream('{"kind":'),
  async ({ impatient }) => {
    await rejectsWith(watched(impatient, []), "UNAVAILABLE", "CLUSTER_UNREACHABLE");
    const error = await rejectsWith(
      impatient.get(DEV, call()),
      "UNAVAILABLE",
      "CLUSTER_UNREACHABLE",
    );
    assert.match(error.message, /has sent nothing for 200 ms/);
  },
);

serverTest(
  "logs are lines with their times, from a given time on",
  (request) => {
    const { searchParams } = new URL(request.url);
    assert.equal(searchParams.get("tailLines"), "2");
    return new Response("2030-01-01T00:00:01.5Z first\n2030-01-01T00:00:02Z second line\n");
  },
  async ({ client }) => {
    const lines: string[] = [];
    const since = Date.UTC(2030, 0, 1, 0, 0, 2);
    const query = { namespace: "dev", pod: "web-1", follow: false, tail: 2, since, ...call() };
    for await (const { time, text } of client.podLogs(query)) lines.push(`${time - since} ${text}`);
    assert.deepEqual(lines, ["0 second line"]);
  },
);

serverTest(
  "an overlong log line is truncated, and the lines after it are complete",
  () => {
    const endless = "x".repeat(50 * 1024);
    return new Response(
      ReadableStream.from([`2030-01-01T00:00:01Z `, endless, endless, "\n2030-01-01T00:00:02Z b\n"])
        .pipeThrough(new TextEncoderStream()),
    );
  },
  async ({ client }) => {
    const query = { namespace: "dev", pod: "web-1", follow: false, tail: null, since: null };
    const lines: string[] = [];
    for await (const { text } of client.podLogs({ ...query, ...call() })) lines.push(text);
    assert.deepEqual(lines.map(({ length }) => length), [64 * 1024 - 21, 1]);
  },
);
