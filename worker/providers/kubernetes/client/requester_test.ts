/** How requests fare with servers that are busy, slow, broken or not there. */
import assert from "node:assert/strict";
import { rejectsWith } from "../../../../tests/fakes/rejects.ts";
import { freePort } from "../../../../tests/servers/free_port.ts";
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
  "a busy server is asked again when it says to",
  (_, call) => call <= 2 ? status(429, {}, { "retry-after": "0.1" }) : Response.json(dev),
  async ({ client, requests }) => {
    assert.equal((await client.get(DEV, call()))?.metadata.name, "dev");
    assert.equal(requests.length, 3);
  },
);

serverTest(
  "a server that stays busy is given up on",
  () => status(503, { details: { retryAfterSeconds: 0.1 } }),
  async ({ client, requests }) => {
    await rejectsWith(client.get(DEV, call()), "UNAVAILABLE", "CLUSTER_UNREACHABLE");
    assert.equal(requests.length, 4);
  },
);

serverTest(
  "a failure that asks for no repetition is told at once",
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
  "a call that its caller aborts ends at once",
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
  "a server that fails again and again is left alone for a while",
  () => status(502),
  async ({ client, requests }) => {
    for (let time = 0; time < 5; time++) await assert.rejects(client.get(DEV, call()));
    const error = await rejectsWith(client.get(DEV, call()), "UNAVAILABLE", "CLUSTER_UNREACHABLE");
    assert.match(error.message, /failed 5 times in a row, the next trial is at/);
    assert.equal(requests.length, 5);
  },
);

serverTest(
  "a server that is not there is CLUSTER_UNREACHABLE",
  () => Response.json(dev),
  async ({ clientOf }) => {
    const server = `https://127.0.0.1:${freePort()}`;
    const config = kubeconfig({ server, ca: authority.cert, user: "ann", certificate: ann });
    const answer = clientOf(config).get(DEV, call());
    const error = await rejectsWith(answer, "UNAVAILABLE", "CLUSTER_UNREACHABLE");
    assert.match(error.message, /Cannot read 'Namespace\/dev': cluster 'east' cannot be reached/);
  },
);
