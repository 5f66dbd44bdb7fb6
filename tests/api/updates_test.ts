/** What updates change and what they leave: masks, etags, expiry and generations. */
import assert from "node:assert/strict";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  BadRequestSchema,
  type Environment,
  type EnvironmentSchema,
  ErrorInfoSchema,
  OperationState,
} from "@mpc/proto";
import { requestIdOf } from "../fakes/request_id.ts";
import { type Clients, created, failure, testAtAllDoors } from "./doors.ts";

const NAME = "environments/dev";

type EnvironmentInit = Omit<MessageInitShape<typeof EnvironmentSchema>, "$typeName">;

/** Updates the environment and waits for it. @returns the environment afterwards */
async function updated(
  { environments, operations }: Clients,
  environment: EnvironmentInit,
  paths: string[] = [],
): Promise<Environment> {
  const { name } = await environments.updateEnvironment({
    environment: { name: NAME, ...environment },
    updateMask: { paths },
  });
  const { state, error } = await operations.waitOperation({ name });
  assert.equal(state, OperationState.SUCCEEDED, error?.message ?? "");
  return await environments.getEnvironment({ name: NAME });
}

async function violations(call: Promise<unknown>) {
  const error = await failure(call);
  assert.equal(error.code, Code.InvalidArgument, error.message);
  const [bad] = error.findDetails(BadRequestSchema);
  return bad?.fieldViolations.map(({ field, reason }) => `${field} ${reason}`);
}

const CASES: Readonly<Record<string, (clients: Clients) => Promise<void>>> = {
  "a mask with an entry of a map changes, adds or removes that entry alone": async (clients) => {
    await created(clients, "dev");
    await updated(clients, { labels: { team: "web", tier: "db" }, annotations: { note: "a" } });
    const changed = await updated(
      clients,
      { labels: { team: "shop", "example.com/owner": "ann", other: "no" } },
      ["labels.team", "labels.`example.com/owner`", "labels.tier", "annotations.note"],
    );
    assert.deepEqual(changed.labels, { team: "shop", "example.com/owner": "ann" });
    assert.deepEqual(changed.annotations, {});
  },
  "a mask with a field of a message changes that field alone": async (clients) => {
    await created(clients, "dev");
    await updated(clients, { quota: { cpu: "2", memory: "1Gi", workloads: 7 } });
    const { quota } = await updated(
      clients,
      { quota: { cpu: "4", memory: "9Gi" } },
      ["quota.cpu", "quota.workloads"],
    );
    assert.deepEqual([quota?.cpu, quota?.memory, quota?.workloads], ["4", "1Gi", 0]);
  },
  "a path covers the paths below it": async (clients) => {
    await created(clients, "dev");
    await updated(clients, { labels: { old: "1" } });
    const { labels } = await updated(clients, { labels: { new: "2" } }, ["labels.old", "labels"]);
    assert.deepEqual(labels, { new: "2" });
  },
  "'*' alone replaces everything, and beside other paths it is refused": async (clients) => {
    await created(clients, "dev");
    const expireTime = timestampFromMs(Date.now() + 3_600_000);
    await updated(clients, { labels: { a: "1" }, quota: { cpu: "1" }, expireTime });
    const replaced = await updated(clients, { annotations: { b: "2" } }, ["*"]);
    assert.deepEqual(
      [replaced.labels, replaced.annotations, replaced.quota?.cpu, replaced.expireTime],
      [{}, { b: "2" }, "", undefined],
    );
    const { environments } = clients;
    for (const paths of [["*", "labels"], ["*", "*"]]) {
      const call = environments.updateEnvironment({
        environment: { name: NAME },
        updateMask: { paths },
      });
      const told = await violations(call);
      assert.deepEqual([...new Set(told)], ["update_mask UPDATE_MASK"], paths.join());
    }
  },
  "a mask that names no changeable field is refused, path by path": async ({ environments }) => {
    const paths = ["labels.a.b", "labels.*", "quota.disk", "ttl.seconds", "quota.", "uid"];
    const environment = { name: NAME, labels: { a: "1" } };
    const call = environments.updateEnvironment({ environment, updateMask: { paths } });
    assert.deepEqual(await violations(call), paths.map(() => "update_mask UPDATE_MASK"));
  },
  "entries of masks are checked like whole maps": async (clients) => {
    await created(clients, "dev");
    const { environments } = clients;
    const call = environments.updateEnvironment({
      environment: { name: NAME, labels: { team: "not valid" }, quota: { cpu: "much" } },
      updateMask: { paths: ["labels.team", "quota.cpu"] },
    });
    assert.deepEqual(await violations(call), [
      "environment.labels.team LABEL_VALUE",
      "environment.quota.cpu QUANTITY",
    ]);
    const many = Object.fromEntries(Array.from({ length: 64 }, (_, n) => [`l${n}`, ""]));
    await updated(clients, { labels: many });
    const onemore = environments.updateEnvironment({
      environment: { name: NAME, labels: { more: "" } },
      updateMask: { paths: ["labels.more"] },
    });
    assert.deepEqual(await violations(onemore), ["environment.labels MAXIMUM"]);
  },
  "ttl and expire_time exclude each other, unless the mask names one": async (clients) => {
    const { environments } = clients;
    const expireTime = timestampFromMs(Date.now() + 7_200_000);
    const environment = { name: NAME, ttl: durationFromMs(3_600_000), expireTime };
    const both = ["environment.expire_time EXCLUSIVE"];
    const creation = environments.createEnvironment({ environmentId: "dev", environment });
    assert.deepEqual(await violations(creation), both);
    await created(clients, "dev");
    for (const paths of [[], ["*"], ["ttl", "expire_time"]]) {
      const call = environments.updateEnvironment({ environment, updateMask: { paths } });
      assert.deepEqual(await violations(call), both, paths.join());
    }
    const later = await updated(clients, environment, ["expire_time"]);
    assert.deepEqual(later.expireTime, expireTime);
    const sooner = await updated(clients, environment, ["ttl"]);
    assert.ok((sooner.expireTime?.seconds ?? 0n) < expireTime.seconds);
    const never = await updated(clients, { expireTime }, ["ttl"]);
    assert.equal(never.expireTime, undefined);
  },
  "a change that changes nothing changes no generation": async (clients) => {
    await created(clients, "dev");
    const first = await updated(clients, { labels: { team: "web" }, quota: { cpu: "2" } });
    assert.equal(first.generation, 2n);
    const same = await updated(clients, { labels: { team: "web" } }, ["labels.team"]);
    const empty = await updated(clients, {});
    assert.deepEqual([same.generation, empty.generation], [2n, 2n]);
    assert.notEqual(empty.etag, first.etag, "it was written all the same");
    assert.equal((await updated(clients, { quota: { cpu: "3" } })).generation, 3n);
    const { workloads, operations } = clients;
    const web = `${NAME}/workloads/web`;
    const deploy = async (image: string) => {
      const workload = { spec: { image, replicas: 1 } };
      const { name } = await workloads.deployWorkload({
        parent: NAME,
        workloadId: "web",
        workload,
      });
      await operations.waitOperation({ name });
      return (await workloads.getWorkload({ name: web })).generation;
    };
    assert.deepEqual(
      [await deploy("nginx:1"), await deploy("nginx:1"), await deploy("nginx:2")],
      [1n, 1n, 2n],
    );
    const { name } = await workloads.reconcileWorkload({ name: web });
    await operations.waitOperation({ name });
    assert.equal((await workloads.getWorkload({ name: web })).generation, 2n);
    const restart = await workloads.restartWorkload({ name: web });
    await operations.waitOperation({ name: restart.name });
    assert.equal((await workloads.getWorkload({ name: web })).generation, 3n);
  },
  "the etag '*' asks for any version, but for one": async (clients) => {
    await created(clients, "dev");
    assert.deepEqual((await updated(clients, { etag: "*", labels: { a: "1" } })).labels, {
      a: "1",
    });
    const { environments, workloads } = clients;
    const absent = [
      () =>
        environments.updateEnvironment({
          environment: { name: "environments/new", etag: "*" },
          allowMissing: true,
        }),
      () => environments.createEnvironment({ environmentId: "new", environment: { etag: "*" } }),
      () => environments.createEnvironment({ environmentId: "new", environment: { etag: "x-1" } }),
      () =>
        environments.deleteEnvironment({ name: "environments/new", etag: "*", allowMissing: true }),
      () =>
        workloads.deployWorkload({
          parent: NAME,
          workloadId: "web",
          workload: { etag: "*", spec: { image: "nginx:1" } },
        }),
      () =>
        workloads.deleteWorkload({ name: `${NAME}/workloads/web`, etag: "*", allowMissing: true }),
      () =>
        workloads.deleteWorkload({
          name: `${NAME}/workloads/web`,
          etag: "old",
          allowMissing: true,
        }),
      () =>
        environments.updateEnvironment({
          environment: { name: "environments/new", etag: "x-1" },
          allowMissing: true,
        }),
    ];
    for (const [index, call] of absent.entries()) {
      const error = await failure(call());
      assert.equal(error.code, Code.Aborted, `${index}: ${error.message}`);
      assert.equal(error.findDetails(ErrorInfoSchema)[0]?.reason, "ETAG_MISMATCH");
      assert.match(error.rawMessage, /it does not exist, the request has '.+'; send no etag/);
    }
    const { environments: all } = await environments.listEnvironments({});
    assert.deepEqual(all.map(({ name }) => name), [NAME]);
  },
  "an update that creates is repeated by its request id": async ({ environments, operations }) => {
    const request = {
      environment: { name: "environments/new", labels: { a: "1" } },
      updateMask: { paths: ["labels.a"] },
      allowMissing: true,
      requestId: requestIdOf(1),
    };
    const first = await environments.updateEnvironment(request);
    assert.equal((await operations.waitOperation({ name: first.name })).kind, "environment.create");
    assert.equal((await environments.updateEnvironment(request)).name, first.name);
  },
};

for (const [title, run] of Object.entries(CASES)) testAtAllDoors(title, run);
