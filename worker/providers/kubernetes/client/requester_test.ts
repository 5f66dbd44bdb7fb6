/** Requests to servers that are busy, slow, broken or down. */
import assert from "node:assert/strict";
import { MpcError } from "@mpc/domain";
import type { EndedRequest } from "./requester.ts";
import { freePort } from "@mpc/process";
import { FakeClock } from "../../../../tests/fakes/fake_clock.ts";
import { rejectsWith } from "../../../../tests/fakes/rejects.ts";
import { kubeconfig } from "../../../../tests/servers/kubeconfig.ts";
import {
  ann,
  authority,
  call,
  DEV,
  dev,
  serverTest,
  status,
} from "../../../../tests/servers/scripted_kube_server.ts";

serverTest(
  "a busy server is retried after the time that it asks for",
  (_, call) => call <= 2 ? status(429, {}, { "retry-after": "0.1" }) : Response.json(dev),
  async ({ client, requests }) => {
    assert.equal((await client.get(DEV, call()))?.metadata.name, "dev");
    assert.equal(requests.length, 3);
  },
);

serverTest(
  "retries of a busy server are limited",
  () => status(503, { details: { retryAfterSeconds: 0.1 } }),
  async ({ client, requests }) => {
    await rejectsWith(client.get(DEV, call()), "UNAVAILABLE", "CLUSTER_UNREACHABLE");
    assert.equal(requests.length, 4);
  },
);

serverTest(
  "a failure without Retry-After is not retried",
  () => status(500, { message: "etcd is not there" }),
  async ({ client, requests }) => {
    const error = await rejectsWith(client.get(DEV, call()), "UNAVAILABLE", "CLUSTER_UNREACHABLE");
    assert.match(error.message, /'east' answered 500 .*etcd is not there/);
    assert.equal(requests.length, 1);
  },
);

serverTest(
  "a server that does not answer in time is UNAVAILABLE",
  ({ signal }) =>
    new Promise((resolve) => signal.addEventListener("abort", () => resolve(status(500)))),
  async ({ impatient }) => {
    const error = await rejectsWith(
      impatient.get(DEV, call()),
      "UNAVAILABLE",
      "CLUSTER_UNREACHABLE",
    );
    assert.match(error.message, /no answer within 200 ms/);
  },
);

serverTest(
  "an aborted call ends at once",
  ({ signal }) =>
    new Promise((resolve) => signal.addEventListener("abort", () => resolve(status(500)))),
  async ({ client }) => {
    const stop = new AbortController();
    const answer = client.get(DEV, stop);
    stop.abort();
    await rejectsWith(answer, "CANCELLED", "ABORTED_BY_CALLER");
  },
);

serverTest(
  "a server that keeps failing is not called for a while",
  () => status(502),
  async ({ client, requests }) => {
    const other = { ...DEV, name: "of-somebody-else" };
    for (let time = 0; time < 5; time++) await assert.rejects(client.get(other, call()));
    const error = await rejectsWith(client.get(DEV, call()), "UNAVAILABLE", "CLUSTER_UNREACHABLE");
    assert.match(error.message, /, 5 times in a row \(it answered 502\); the next trial is at/);
    assert.equal(requests.length, 5);
    const told = JSON.stringify([error.message, error.metadata, error.cause]);
    assert.doesNotMatch(told, /somebody/, "nothing about the calls that failed");
  },
);

let active = 0;
let peak = 0;
const busy = Promise.withResolvers<void>();

serverTest(
  "more requests than a server should have at once wait for their turn",
  async () => {
    peak = Math.max(peak, ++active);
    if (active === 80) busy.resolve();
    await busy.promise;
    active--;
    return Response.json(dev);
  },
  async ({ client }) => {
    await Promise.all(Array.from({ length: 250 }, () => client.get(DEV, call())));
    assert.equal(peak, 80);
  },
);

serverTest(
  "a failure inside the server concerns the one request",
  () => status(500, { reason: "InternalError", message: "a conversion webhook failed" }),
  async ({ client }) => {
    await rejectsWith(client.get(DEV, call()), "UNAVAILABLE", "CLUSTER_FAILED");
  },
);

serverTest(
  "a denial by a server that has just started is an outage, a later one is not",
  (_, call) =>
    status(call === 1 ? 503 : 403, { reason: "Forbidden", message: "RBAC: no role yet" }),
  async ({ clientOf, url }) => {
    const clock = new FakeClock(Date.now());
    const config = kubeconfig({ server: url, ca: authority.cert, user: "ann", certificate: ann });
    const client = clientOf(config, undefined, { clock });
    await rejectsWith(client.get(DEV, call()), "UNAVAILABLE", "CLUSTER_UNREACHABLE");
    const denied = await rejectsWith(client.get(DEV, call()), "UNAVAILABLE", "CLUSTER_UNREACHABLE");
    assert.match(denied.message, /cluster 'east' has just started, and answered 403/);
    await clock.advance(10_000);
    await rejectsWith(client.get(DEV, call()), "PERMISSION_DENIED", "CLUSTER_FORBIDS");
  },
);

let arrived = Promise.withResolvers<void>();

serverTest(
  "a server that has used up its caller's time is CLUSTER_UNREACHABLE, one that had no time is not",
  ({ signal }) => {
    arrived.resolve();
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve(status(500))));
  },
  async ({ clientOf, url }) => {
    const config = kubeconfig({ server: url, ca: authority.cert, user: "ann", certificate: ann });
    const timeUp = new MpcError("DEADLINE_EXCEEDED", {
      reason: "ATTEMPT_TIMED_OUT",
      message: "the time is up",
    });
    for (
      const [ms, code, reason] of [
        [4_999, "CANCELLED", "ABORTED_BY_CALLER"],
        [5_000, "UNAVAILABLE", "CLUSTER_UNREACHABLE"],
      ] as const
    ) {
      const clock = new FakeClock(Date.now());
      const stop = new AbortController();
      arrived = Promise.withResolvers();
      const answer = clientOf(config, undefined, { clock }).get(DEV, stop);
      const rejected = rejectsWith(answer, code, reason);
      await arrived.promise;
      await clock.advance(ms);
      stop.abort(timeUp);
      await rejected;
    }
  },
);

serverTest(
  "a server that does not listen is CLUSTER_UNREACHABLE",
  () => Response.json(dev),
  async ({ clientOf }) => {
    const server = `https://127.0.0.1:${freePort()}`;
    const config = kubeconfig({ server, ca: authority.cert, user: "ann", certificate: ann });
    const answer = clientOf(config).get(DEV, call());
    const error = await rejectsWith(answer, "UNAVAILABLE", "CLUSTER_UNREACHABLE");
    assert.match(
      error.message,
      /^Cannot read 'Namespace\/dev': cluster 'east' cannot be reached \(tcp connect error: .*refused[^()]*\(os error \d+\)\)$/,
    );
    assert.equal(error.metadata["sent"], "no");
  },
);

serverTest(
  "every request is reported with its verb, kind and status, also the ones without an answer",
  (request, call) =>
    request.method === "DELETE"
      ? status(404, { details: { kind: "namespaces" } })
      : call <= 1
      ? status(429, {}, { "retry-after": "0.1" })
      : Response.json(dev),
  async ({ clientOf, config }) => {
    const told: string[] = [];
    const onRequest = ({ verb, kind, code }: EndedRequest) =>
      void told.push(`${verb} ${kind} ${code}`);
    const client = clientOf(config, undefined, { onRequest });
    await client.get(DEV, call());
    await client.delete(DEV, { propagation: "Background", uid: "1", ...call() });
    const server = `https://127.0.0.1:${freePort()}`;
    const away = kubeconfig({ server, ca: authority.cert, user: "ann", certificate: ann });
    await rejectsWith(
      clientOf(away, undefined, { onRequest }).get(DEV, call()),
      "UNAVAILABLE",
      "CLUSTER_UNREACHABLE",
    );
    assert.deepEqual(told, [
      "get Namespace 429",
      "get Namespace 200",
      "delete Namespace 404",
      "get Namespace UNAVAILABLE",
    ]);
  },
);
