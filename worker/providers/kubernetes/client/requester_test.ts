/** Requests to servers that are busy, slow, broken or down. */
import assert from "node:assert/strict";
import { freePort } from "@mpc/process";
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
    for (let time = 0; time < 5; time++) await assert.rejects(client.get(DEV, call()));
    const error = await rejectsWith(client.get(DEV, call()), "UNAVAILABLE", "CLUSTER_UNREACHABLE");
    assert.match(error.message, /failed 5 times in a row, the next trial is at/);
    assert.equal(requests.length, 5);
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
    assert.match(error.message, /Cannot read 'Namespace\/dev': cluster 'east' cannot be reached/);
  },
);
