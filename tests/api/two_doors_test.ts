/** One suite for three kinds of clients: the API behaves the same at both doors. */
import assert from "node:assert/strict";
import { Code } from "@connectrpc/connect";
import {
  BadRequestSchema,
  EnvironmentService,
  EnvironmentState,
  ErrorInfoSchema,
  EventType,
  HealthCheckResponse_ServingStatus,
  OperationState,
} from "@mpc/proto";
import { type Clients, created, failure, testAtAllDoors } from "./doors.ts";
import { requestIdOf } from "../fakes/request_id.ts";
import { testStorage } from "../fakes/test_store.ts";

const CASES: Readonly<Record<string, (clients: Clients) => Promise<void>>> = {
  "an environment is created, read, listed and deleted": async (clients) => {
    const { environments, operations } = clients;
    await created(clients, "dev");
    const dev = await environments.getEnvironment({ name: "environments/dev" });
    assert.equal(dev.state, EnvironmentState.READY);
    assert.equal((await environments.listEnvironments({})).environments.length, 1);
    const { name } = await environments.deleteEnvironment({ name: dev.name, etag: dev.etag });
    await operations.waitOperation({ name });
    const gone = await failure(environments.getEnvironment({ name: dev.name }));
    assert.equal(gone.code, Code.NotFound);
  },
  "an error has one ErrorInfo with reason, domain and metadata": async ({ environments }) => {
    const error = await failure(environments.getEnvironment({ name: "environments/none" }));
    assert.equal(error.code, Code.NotFound);
    const infos = error.findDetails(ErrorInfoSchema);
    assert.equal(infos.length, 1);
    assert.equal(infos[0]?.reason, "ENVIRONMENT_NOT_FOUND");
    assert.equal(infos[0]?.domain, "mini-platform-control-plane");
    assert.deepEqual(infos[0]?.metadata, { resource: "environments/none" });
    assert.equal(
      error.rawMessage,
      "Cannot get environment 'none': there is no environment 'environments/none'",
    );
  },
  "an error names every invalid field at once": async ({ workloads }) => {
    const error = await failure(workloads.deployWorkload({
      parent: "environments/dev",
      workloadId: "Bad",
      workload: {
        spec: {
          image: "no image",
          replicas: -1,
          ports: [{ port: 0 }],
          resources: { cpu: "12xyz" },
        },
      },
    }));
    assert.equal(error.code, Code.InvalidArgument);
    const [bad] = error.findDetails(BadRequestSchema);
    assert.deepEqual(bad?.fieldViolations.map(({ field, reason }) => [field, reason]), [
      ["workload_id", "DNS_1123_LABEL"],
      ["workload.spec.image", "IMAGE_REFERENCE"],
      ["workload.spec.replicas", "MINIMUM"],
      ["workload.spec.ports[0].port", "PORT_RANGE"],
      ["workload.spec.resources.cpu", "QUANTITY"],
    ]);
  },
  "a repeated request id finds its operation, and is rejected with another body": async (
    clients,
  ) => {
    const { environments } = clients;
    const request = { environmentId: "dev", environment: {}, requestId: requestIdOf(1) };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => environments.createEnvironment(request)),
    );
    assert.equal(new Set(answers.map(({ name }) => name)).size, 1, "all got the same operation");
    const other = environments.createEnvironment({ ...request, environmentId: "other" });
    const error = await failure(other);
    assert.equal(error.code, Code.InvalidArgument);
    assert.equal(error.findDetails(ErrorInfoSchema)[0]?.reason, "REQUEST_ID_REUSED");
  },
  "a stale etag is ABORTED": async (clients) => {
    await created(clients, "dev");
    const deletion = clients.environments.deleteEnvironment({
      name: "environments/dev",
      etag: "x",
    });
    assert.equal((await failure(deletion)).code, Code.Aborted);
  },
  "validate_only returns a plan, and its hash is valid until the state changes": async (
    clients,
  ) => {
    const { environments, workloads } = clients;
    await created(clients, "dev");
    const request = {
      parent: "environments/dev",
      workloadId: "web",
      workload: { spec: { image: "nginx:1.27", ports: [{ port: 80 }] } },
    };
    const { plan, name } = await workloads.deployWorkload({ ...request, validateOnly: true });
    assert.equal(name, "");
    assert.deepEqual(plan?.changes.map(({ object }) => object), [
      "Deployment/dev/web",
      "Service/dev/web",
    ]);
    const planHash = plan?.planHash ?? "";
    const { name: operation } = await workloads.deployWorkload({ ...request, planHash });
    await clients.operations.waitOperation({ name: operation });
    const outdated = await failure(workloads.deployWorkload({ ...request, planHash }));
    assert.equal(outdated.findDetails(ErrorInfoSchema)[0]?.reason, "PLAN_OUTDATED");
    assert.equal((await environments.listEnvironments({})).environments.length, 1);
  },
  "secrets are redacted in every response": async (clients) => {
    await created(clients, "dev");
    const { name } = await clients.workloads.deployWorkload({
      parent: "environments/dev",
      workloadId: "web",
      workload: { spec: { image: "nginx:1.27", env: { PASSWORD: "hunter2" } } },
    });
    await clients.operations.waitOperation({ name });
    const said: unknown[] = [
      await clients.workloads.getWorkload({ name: "environments/dev/workloads/web" }),
      await clients.workloads.listRevisions({ parent: "environments/dev/workloads/web" }),
      await clients.operations.getOperation({ name }),
    ];
    for await (const { event, synced } of clients.events.watchEvents({})) {
      said.push(event);
      if (synced) break;
    }
    const text = JSON.stringify(said, (_, value) => typeof value === "bigint" ? `${value}` : value);
    assert.doesNotMatch(text, /hunter2/);
    assert.match(text, /\(redacted\)/);
  },
  "WatchOperation streams until the operation has ended": async (clients) => {
    const { name } = await clients.environments.createEnvironment({
      environmentId: "dev",
      environment: {},
    });
    const states: OperationState[] = [];
    for await (const { state } of clients.operations.watchOperation({ name })) states.push(state);
    assert.equal(states.at(-1), OperationState.SUCCEEDED);
  },
  "WatchEvents sends existing resources, then events, and resumes from a token": async (
    clients,
  ) => {
    await created(clients, "one");
    const stop = new AbortController();
    const targets: string[] = [];
    let token = "";
    const request = { kinds: ["environment"] };
    for await (
      const { event, resumeToken, synced } of clients.events.watchEvents(request, {
        signal: stop.signal,
      })
    ) {
      if (event) targets.push(`${EventType[event.type]} ${event.target}`);
      if (synced) {
        token = resumeToken;
        break;
      }
    }
    assert.deepEqual(targets, ["EXISTING environments/one"]);
    await created(clients, "two");
    const seen: string[] = [];
    for await (
      const { event } of clients.events.watchEvents({ ...request, resumeToken: token }, {
        signal: stop.signal,
      })
    ) {
      if (event) seen.push(`${EventType[event.type]} ${event.target} ${event.reason}`);
      if (event?.reason === "Ready") break;
    }
    assert.deepEqual(seen, [
      "CREATED environments/two OperationAdmitted",
      "UPDATED environments/two Ready",
    ]);
  },
  "a page token belongs to its list": async (clients) => {
    await Promise.all(["a", "b", "c"].map((id) => created(clients, id)));
    const { environments } = clients;
    const first = await environments.listEnvironments({ pageSize: 2 });
    assert.equal(first.environments.length, 2);
    const rest = await environments.listEnvironments({
      pageSize: 2,
      pageToken: first.nextPageToken,
    });
    assert.deepEqual(rest.environments.map(({ name }) => name), ["environments/c"]);
    assert.equal(rest.nextPageToken, "");
    const other = { pageSize: 2, pageToken: first.nextPageToken, filter: "state = READY" };
    assert.equal((await failure(environments.listEnvironments(other))).code, Code.InvalidArgument);
    const nonsense = environments.listEnvironments({ pageToken: "nonsense" });
    assert.equal((await failure(nonsense)).code, Code.InvalidArgument);
  },
  "update_mask names the fields to change; an unknown path is rejected": async (clients) => {
    const { environments, operations } = clients;
    await created(clients, "dev");
    const environment = { name: "environments/dev", labels: { a: "1" }, annotations: { b: "2" } };
    const { name } = await environments.updateEnvironment({
      environment,
      updateMask: { paths: ["labels"] },
    });
    await operations.waitOperation({ name });
    const { labels, annotations } = await environments.getEnvironment({ name: environment.name });
    assert.deepEqual({ labels, annotations }, { labels: { a: "1" }, annotations: {} });
    const updateMask = { paths: ["labels", "state", "colour"] };
    const error = await failure(environments.updateEnvironment({ environment, updateMask }));
    const [bad] = error.findDetails(BadRequestSchema);
    assert.deepEqual(bad?.fieldViolations.map(({ field, reason }) => [field, reason]), [
      ["update_mask", "UPDATE_MASK"],
      ["update_mask", "UPDATE_MASK"],
    ]);
  },
  "with allow_missing, an update creates a missing resource, and its deletion succeeds": async (
    { environments, operations },
  ) => {
    const environment = { name: "environments/new", labels: { a: "1" } };
    const { code, message } = await failure(environments.updateEnvironment({ environment }));
    assert.equal(code, Code.NotFound, message);
    const { name } = await environments.updateEnvironment({ environment, allowMissing: true });
    assert.equal((await operations.waitOperation({ name })).kind, "environment.create");
    const { done } = await environments.deleteEnvironment({
      name: "environments/none",
      allowMissing: true,
    });
    assert.ok(done);
  },
  "force deletes an environment with its workloads": async (clients) => {
    const { environments, workloads, operations } = clients;
    await created(clients, "dev");
    const workload = { spec: { image: "nginx:1.27" } };
    const parent = "environments/dev";
    const { name } = await workloads.deployWorkload({ parent, workloadId: "web", workload });
    await operations.waitOperation({ name });
    const refused = await failure(environments.deleteEnvironment({ name: parent }));
    assert.equal(refused.code, Code.FailedPrecondition);
    const deletion = await environments.deleteEnvironment({ name: parent, force: true });
    const { state } = await operations.waitOperation({ name: deletion.name });
    assert.equal(state, OperationState.SUCCEEDED);
    assert.deepEqual((await workloads.listWorkloads({ parent: "environments/-" })).workloads, []);
  },
  "a filter is checked and applied": async (clients) => {
    await created(clients, "a");
    const { environments } = clients;
    const none = await environments.listEnvironments({ filter: "state = DELETING" });
    assert.equal(none.environments.length, 0);
    const error = await failure(environments.listEnvironments({ filter: "colour = red" }));
    assert.match(error.rawMessage, /unknown field 'colour'.*at character 1/);
  },
  "logs of a workload stream": async (clients) => {
    await created(clients, "dev");
    const { name } = await clients.workloads.deployWorkload({
      parent: "environments/dev",
      workloadId: "web",
      workload: { spec: { image: "nginx:1.27", replicas: 2 } },
    });
    await clients.operations.waitOperation({ name });
    const lines: string[] = [];
    const request = { name: "environments/dev/workloads/web" };
    for await (const { replica, text } of clients.workloads.streamLogs(request)) {
      lines.push(`${replica} ${text}`);
    }
    assert.deepEqual(lines, ["web-r1-1 starting nginx:1.27", "web-r1-2 starting nginx:1.27"]);
  },
  "a deadline ends a call": async (clients) => {
    const { name } = await created(clients, "dev");
    const watch = (async () => {
      const stream = clients.events.watchEvents({ target: name }, { timeoutMs: 100 });
      for await (const _ of stream);
    })();
    assert.equal((await failure(watch)).code, Code.DeadlineExceeded);
  },
  "the server describes itself, and finds no problems": async ({ diagnostics }) => {
    const info = await diagnostics.getServerInfo({});
    assert.deepEqual([info.engine, info.storage, info.provider], [
      "embedded",
      testStorage(),
      "simulated",
    ]);
    assert.deepEqual((await diagnostics.diagnose({})).findings, []);
  },
  "the standard health service reports health once and at each change": async ({ health }) => {
    assert.equal((await health.check({})).status, HealthCheckResponse_ServingStatus.SERVING);
    const known = await health.check({ service: EnvironmentService.typeName });
    assert.equal(known.status, HealthCheckResponse_ServingStatus.SERVING);
    const unknown = await failure(health.check({ service: "none" }));
    assert.equal(unknown.code, Code.NotFound);
    assert.equal(unknown.findDetails(ErrorInfoSchema)[0]?.reason, "SERVICE_NOT_FOUND");
    const listed = (await health.list({})).statuses;
    assert.deepEqual([listed[""]?.status, listed[EnvironmentService.typeName]?.status], [
      HealthCheckResponse_ServingStatus.SERVING,
      HealthCheckResponse_ServingStatus.SERVING,
    ]);
    const statuses = [];
    for await (const { status } of health.watch({ service: "none" })) {
      statuses.push(status);
      break;
    }
    assert.deepEqual(statuses, [HealthCheckResponse_ServingStatus.SERVICE_UNKNOWN]);
  },
  "a message over the size limit is rejected": async ({ environments }) => {
    const annotations = { big: "x".repeat(5 * 1024 * 1024) };
    const call = environments.createEnvironment({
      environmentId: "dev",
      environment: { annotations },
    });
    assert.equal((await failure(call)).code, Code.ResourceExhausted);
  },
};

for (const [title, run] of Object.entries(CASES)) testAtAllDoors(title, run);
