/** Reads: read masks, revisions by name, and lists of what clusters have. */
import assert from "node:assert/strict";
import { toJson } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import {
  BadRequestSchema,
  EnvironmentSchema,
  ErrorInfoSchema,
  OperationSchema,
  OperationState,
  RevisionSchema,
  WorkloadSchema,
} from "@mpc/proto";
import { type Clients, created, failure, testAtAllDoors } from "./doors.ts";

const DEV = "environments/dev";
const WEB = `${DEV}/workloads/web`;

async function deployed(clients: Clients, image: string): Promise<void> {
  const workload = {
    labels: { team: "web", "example.com/tier": "front" },
    spec: { image, replicas: 2, resources: { cpu: "1", memory: "1Gi" } },
  };
  const { name } = await clients.workloads.deployWorkload({
    parent: DEV,
    workloadId: "web",
    workload,
  });
  const { state } = await clients.operations.waitOperation({ name });
  assert.equal(state, OperationState.SUCCEEDED);
}

const CASES: Readonly<Record<string, (clients: Clients) => Promise<void>>> = {
  "a read mask leaves the named fields alone": async (clients) => {
    await created(clients, "dev");
    await deployed(clients, "nginx:1");
    const { environments, workloads, operations } = clients;
    const mask = (...paths: string[]) => ({ readMask: { paths } });
    const listed = await environments.listEnvironments(mask("name", "state"));
    assert.deepEqual(listed.environments.map((it) => toJson(EnvironmentSchema, it)), [
      { name: DEV, state: "ENVIRONMENT_STATE_READY" },
    ]);
    const parts = await workloads.listWorkloads({
      parent: DEV,
      ...mask("spec.image", "spec.resources.cpu", "labels.`example.com/tier`", "labels.none"),
    });
    assert.deepEqual(parts.workloads.map((it) => toJson(WorkloadSchema, it)), [{
      labels: { "example.com/tier": "front" },
      spec: { image: "nginx:1", resources: { cpu: "1" } },
    }]);
    const kinds = await operations.listOperations({ orderBy: "create_time", ...mask("kind") });
    assert.deepEqual(kinds.operations.map((it) => toJson(OperationSchema, it)), [
      { kind: "environment.create" },
      { kind: "workload.deploy" },
    ]);
    const revisions = await workloads.listRevisions({ parent: WEB, ...mask("spec.image", "spec") });
    assert.equal(revisions.revisions[0]?.spec?.resources?.memory, "1Gi", "the whole covers parts");
    const pods = await workloads.listPods({ parent: WEB, ...mask("workload") });
    assert.deepEqual(pods.pods.map(({ name, workload }) => [name, workload]), [
      ["", WEB],
      ["", WEB],
    ]);
    const events = await workloads.listClusterEvents({ parent: WEB, ...mask("reason") });
    assert.ok(events.events.length > 0, "there are events");
    assert.ok(events.events.every(({ reason, message }) => reason !== "" && message === ""));
    const [all] = (await environments.listEnvironments(mask("*"))).environments;
    assert.deepEqual(all, await environments.getEnvironment({ name: DEV }));
  },
  "a read mask that names no fields is refused, path by path": async ({ environments }) => {
    const paths = ["name", "colour", "*", "quota.disk", "conditions.type", "name.x", ""];
    const error = await failure(environments.listEnvironments({ readMask: { paths } }));
    assert.equal(error.code, Code.InvalidArgument);
    const [bad] = error.findDetails(BadRequestSchema);
    assert.deepEqual(
      bad?.fieldViolations.map(({ field, reason }) => `${field} ${reason}`),
      paths.slice(1).map(() => "read_mask READ_MASK"),
    );
  },
  "a revision is read by its name": async (clients) => {
    await created(clients, "dev");
    await deployed(clients, "nginx:1");
    await deployed(clients, "nginx:2");
    const { workloads } = clients;
    const { revisions } = await workloads.listRevisions({ parent: WEB });
    assert.equal(revisions.length, 2);
    for (const revision of revisions) {
      const got = await workloads.getRevision({ name: revision.name });
      assert.deepEqual(toJson(RevisionSchema, got), toJson(RevisionSchema, revision));
    }
    const first = await workloads.getRevision({ name: `${WEB}/revisions/1` });
    assert.deepEqual([first.spec?.image, first.active], ["nginx:1", false]);
    const rows = [
      [`${WEB}/revisions/7`, Code.NotFound, "REVISION_NOT_FOUND"],
      [`${DEV}/workloads/no/revisions/1`, Code.NotFound, "WORKLOAD_NOT_FOUND"],
      [`${WEB}/revisions/0`, Code.InvalidArgument, "INVALID_FIELDS"],
      [WEB, Code.InvalidArgument, "INVALID_FIELDS"],
    ] as const;
    for (const [name, code, reason] of rows) {
      const error = await failure(workloads.getRevision({ name }));
      assert.deepEqual([error.code, error.findDetails(ErrorInfoSchema)[0]?.reason], [code, reason]);
    }
  },
  "pods and events come in pages": async (clients) => {
    await created(clients, "dev");
    await deployed(clients, "nginx:1");
    const { workloads } = clients;
    const first = await workloads.listPods({ parent: WEB, pageSize: 1 });
    const second = await workloads.listPods({
      parent: "environments/dev/workloads/web",
      pageSize: 1,
      pageToken: first.nextPageToken,
    });
    assert.deepEqual([first, second].map(({ pods }) => pods.map(({ name }) => name)), [
      ["web-r1-1"],
      ["web-r1-2"],
    ]);
    assert.deepEqual([second.nextPageToken, second.unreachable], ["", []]);
    const events = await workloads.listClusterEvents({ parent: "environments/-/workloads/-" });
    assert.ok(events.events.length > 0);
    assert.ok(events.events.every(({ workload }) => workload === WEB));
  },
};

for (const [title, run] of Object.entries(CASES)) testAtAllDoors(title, run);
