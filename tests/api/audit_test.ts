/** What calls leave in the audit, at both doors, and how it is read. */
import assert from "node:assert/strict";
import { Code } from "@connectrpc/connect";
import { AuditPhase, type AuditRecord } from "@mpc/proto";
import { requestIdOf } from "../fakes/request_id.ts";
import { type Clients, created, failure, testAtAllDoors } from "./doors.ts";

const SECRET = "hunter2-planted";

/** The records so far, oldest first. */
async function records({ audit }: Clients, filter = ""): Promise<readonly AuditRecord[]> {
  const { auditRecords } = await audit.listAuditRecords({ filter, orderBy: "sequence" });
  return auditRecords;
}

const told = ({ phase, method, target, result, reason }: AuditRecord) =>
  [AuditPhase[phase], method.split("/")[1], target, result, reason].filter(Boolean).join(" ");

testAtAllDoors("a change is recorded before it is made and with its result", async (clients) => {
  const { name: creation } = await created(clients, "dev");
  const id = requestIdOf(1);
  const deployed = await clients.workloads.deployWorkload({
    parent: "environments/dev",
    workloadId: "web",
    requestId: id,
    workload: {
      spec: { image: "nginx:1.27", replicas: 2, env: { PASSWORD: SECRET } },
    },
  });
  await clients.operations.waitOperation({ name: deployed.name });
  await clients.workloads.deployWorkload({
    parent: "environments/dev",
    workloadId: "web",
    workload: {
      spec: { image: "nginx:1.27", replicas: 3, env: { PASSWORD: `${SECRET}-2` } },
    },
  });
  const found = await records(clients);
  const web = "environments/dev/workloads/web";
  assert.deepEqual(found.map(told), [
    "REQUESTED CreateEnvironment environments/dev",
    "COMPLETED CreateEnvironment environments/dev OK",
    `REQUESTED DeployWorkload ${web}`,
    `COMPLETED DeployWorkload ${web} OK`,
    `REQUESTED DeployWorkload ${web}`,
    `COMPLETED DeployWorkload ${web} OK`,
    "COMPLETED ListAuditRecords OK",
  ]);
  const [requested, completed, deploy, , again] = found;
  assert.deepEqual(found.map(({ sequence }) => sequence), [1n, 2n, 3n, 4n, 5n, 6n, 7n]);
  assert.equal(requested?.operation, creation);
  assert.equal(completed?.operation, creation);
  assert.equal(completed.requestedBy, requested.sequence);
  assert.equal(completed.previousHash, requested.hash);
  const { actor, source, permission, requestId: given, operation, count } = deploy!;
  assert.deepEqual(
    { actor, source, permission, given, operation, count },
    {
      actor: "local",
      source: "127.0.0.1",
      permission: "workloads.deploy",
      given: id,
      operation: deployed.name,
      count: 1n,
    },
  );
  assert.deepEqual(
    again?.changes.map(({ path, before, after }) => [path, before, after]).toSorted(),
    [
      ["spec.env.PASSWORD", '"(redacted)"', '"(redacted)"'],
      ["spec.replicas", "2", "3"],
    ],
  );
  const everything = JSON.stringify(found, (_, it) => typeof it === "bigint" ? String(it) : it);
  assert.ok(!everything.includes(SECRET), "no secret value is in a record");
});

testAtAllDoors(
  "what changes nothing is recorded once, and reads and dry runs are not",
  async (clients) => {
    await created(clients, "dev");
    const id = requestIdOf(2);
    const create = (rest: object) =>
      clients.environments.createEnvironment({ environmentId: "two", environment: {}, ...rest });
    await create({ validateOnly: true });
    const { name } = await create({ requestId: id });
    await create({ requestId: id });
    const missing = { parent: "environments/none", workloadId: "web" };
    await failure(clients.workloads.deployWorkload({
      ...missing,
      workload: { spec: { image: "nginx:1.27" } },
    }));
    await failure(clients.workloads.deployWorkload({
      ...missing,
      validateOnly: true,
      workload: { spec: { image: "nginx:1.27" } },
    }));
    await clients.environments.listEnvironments({});
    await failure(clients.environments.getEnvironment({ name: "environments/none" }));
    await clients.longrunning.getOperation({ name });
    await clients.audit.verifyAuditRecords({});
    const found = (await records(clients)).slice(2);
    assert.deepEqual(found.map(told), [
      "REQUESTED CreateEnvironment environments/two",
      "COMPLETED CreateEnvironment environments/two OK",
      "COMPLETED CreateEnvironment environments/two OK",
      "COMPLETED DeployWorkload environments/none/workloads/web NOT_FOUND ENVIRONMENT_NOT_FOUND",
      "COMPLETED VerifyAuditRecords OK",
      "COMPLETED ListAuditRecords OK",
    ]);
    assert.deepEqual([found[2]?.operation, found[2]?.requestedBy], [name, 0n]);
  },
);

testAtAllDoors("logs are recorded when they are read", async (clients) => {
  await created(clients, "dev");
  const { name } = await clients.workloads.deployWorkload({
    parent: "environments/dev",
    workloadId: "web",
    workload: { spec: { image: "nginx:1.27" } },
  });
  await clients.operations.waitOperation({ name });
  for await (
    const _ of clients.workloads.streamLogs({ name: "environments/dev/workloads/web", tail: 1 })
  );
  const [read] = await records(clients, 'method = "*StreamLogs"');
  assert.equal(read && told(read), "COMPLETED StreamLogs environments/dev/workloads/web OK");
  assert.equal(read?.permission, "workloads.logs");
});

testAtAllDoors(
  "records are filtered, paged, and watched while they are appended",
  async (clients) => {
    await created(clients, "dev");
    await created(clients, "two");
    const filter = 'phase = COMPLETED AND target = "environments/two"';
    assert.deepEqual((await records(clients, filter)).map(told), [
      "COMPLETED CreateEnvironment environments/two OK",
    ]);
    const wrong = await failure(clients.audit.listAuditRecords({ filter: "colour = red" }));
    assert.equal(wrong.code, Code.InvalidArgument);
    const first = await clients.audit.listAuditRecords({ pageSize: 2, orderBy: "sequence" });
    const second = await clients.audit.listAuditRecords({
      pageSize: 2,
      orderBy: "sequence",
      pageToken: first.nextPageToken,
    });
    assert.deepEqual(
      [...first.auditRecords, ...second.auditRecords].map(({ sequence }) => sequence),
      [1n, 2n, 3n, 4n],
    );
    const stop = new AbortController();
    const seen: string[] = [];
    const watch = clients.audit.watchAuditRecords(
      { filter: 'method = "*Environment" AND phase = COMPLETED', after: 2n },
      { signal: stop.signal },
    );
    try {
      for await (const { auditRecord } of watch) {
        seen.push(told(auditRecord!));
        if (seen.length === 1) await created(clients, "three");
        if (seen.length === 2) break;
      }
    } finally {
      stop.abort();
    }
    assert.deepEqual(seen, [
      "COMPLETED CreateEnvironment environments/two OK",
      "COMPLETED CreateEnvironment environments/three OK",
    ]);
  },
);

testAtAllDoors(
  "a record that was changed in the store is named by the verification",
  async (clients, { store }) => {
    await created(clients, "dev");
    const whole = await clients.audit.verifyAuditRecords({});
    assert.deepEqual([whole.problem, whole.removed], [undefined, 0n]);
    const { items: [, second] } = await store.audit.list({ limit: 2 });
    await store.audit.replace({ ...second!.value, actor: "somebody else" }, second!.version);
    const { problem, checked } = await clients.audit.verifyAuditRecords({});
    assert.deepEqual([problem?.sequence, problem?.kind, checked], [2n, "CHANGED", 1n]);
    await store.audit.replace(second!.value, second!.version + 1);
    const { sequence, hash } = whole.head!;
    const same = await clients.audit.verifyAuditRecords({ expected: { sequence, hash } });
    assert.equal(same.problem, undefined);
    const other = await clients.audit.verifyAuditRecords({ expected: { sequence, hash: "0" } });
    assert.deepEqual([other.problem?.sequence, other.problem?.kind], [sequence, "NOT_AS_EXPECTED"]);
  },
);
