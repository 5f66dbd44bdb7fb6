/** `google.longrunning.Operations` as generic clients call it, at both doors. */
import assert from "node:assert/strict";
import { anyUnpack, durationFromMs, EmptySchema } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import {
  EnvironmentSchema,
  EnvironmentState,
  ErrorInfoSchema,
  type LongRunningOperation,
  OperationSchema,
  OperationState,
  WorkloadSchema,
} from "@mpc/proto";
import { type Clients, created, failure, testAtAllDoors } from "./doors.ts";

const PARENT = "environments/dev";

/** Deploys an image to a workload of `environments/dev`. */
const deploy = ({ workloads }: Clients, image: string) =>
  workloads.deployWorkload({ parent: PARENT, workloadId: "web", workload: { spec: { image } } });

function metadataOf({ metadata }: LongRunningOperation) {
  const operation = metadata && anyUnpack(metadata, OperationSchema);
  assert.ok(operation, "the metadata is an operation of ours");
  return operation;
}

const CASES: Readonly<Record<string, (clients: Clients) => Promise<void>>> = {
  "metadata is our operation, the response the resource": async (clients) => {
    const { longrunning, operations } = clients;
    const { name } = await created(clients, "dev");
    const operation = await longrunning.getOperation({ name });
    assert.equal(operation.name, name);
    assert.ok(operation.done);
    assert.deepEqual(metadataOf(operation), await operations.getOperation({ name }));
    assert.ok(operation.result.case === "response");
    const environment = anyUnpack(operation.result.value, EnvironmentSchema);
    assert.deepEqual([environment?.name, environment?.state], [PARENT, EnvironmentState.READY]);
    const deployment = await deploy(clients, "nginx:1.27");
    const deployed = await longrunning.waitOperation({ name: deployment.name });
    assert.ok(deployed.result.case === "response");
    const workload = anyUnpack(deployed.result.value, WorkloadSchema);
    assert.equal(workload?.name, `${PARENT}/workloads/web`);
  },
  "a deletion answers with Empty; of a resource that is gone the name and uid are left": async (
    clients,
  ) => {
    const { longrunning, environments } = clients;
    const { name } = await created(clients, "dev");
    const { uid } = await environments.getEnvironment({ name: PARENT });
    const deletion = await environments.deleteEnvironment({ name: PARENT });
    const deleted = await longrunning.waitOperation({ name: deletion.name });
    assert.ok(deleted.result.case === "response");
    assert.ok(anyUnpack(deleted.result.value, EmptySchema));
    await created(clients, "dev");
    const { result } = await longrunning.getOperation({ name });
    assert.ok(result.case === "response");
    const left = anyUnpack(result.value, EnvironmentSchema);
    assert.deepEqual([left?.name, left?.uid, left?.etag], [PARENT, uid, ""], "not its successor");
  },
  "a failed operation has a google.rpc.Status with an ErrorInfo": async (clients) => {
    const { longrunning } = clients;
    await created(clients, "dev");
    const { name } = await deploy(clients, "nginx:missing");
    const failed = await longrunning.waitOperation({ name });
    assert.ok(failed.done);
    assert.ok(failed.result.case === "error");
    const { code, message, details } = failed.result.value;
    const { error } = metadataOf(failed);
    assert.equal(code, Code.FailedPrecondition);
    assert.equal(message, error?.message);
    const [info] = details.map((detail) => anyUnpack(detail, ErrorInfoSchema));
    assert.deepEqual([info?.reason, info?.metadata], ["IMAGE_PULL_FAILED", error?.metadata]);
  },
  "Wait ends at its timeout and at the call's deadline, Cancel ends the operation": async (
    clients,
  ) => {
    const { longrunning } = clients;
    await created(clients, "dev");
    const { name } = await deploy(clients, "nginx:stuck");
    for (
      const waiting of [
        longrunning.waitOperation({ name, timeout: durationFromMs(50) }),
        longrunning.waitOperation({ name }, { timeoutMs: 1_000 }),
      ]
    ) {
      const { done, result } = await waiting;
      assert.deepEqual([done, result.case], [false, undefined]);
    }
    const negative = { name, timeout: durationFromMs(-1) };
    assert.equal((await failure(longrunning.waitOperation(negative))).code, Code.InvalidArgument);
    await longrunning.cancelOperation({ name });
    const cancelled = await longrunning.waitOperation({ name });
    assert.equal(metadataOf(cancelled).state, OperationState.CANCELLED);
    assert.ok(cancelled.result.case === "error");
    assert.equal(cancelled.result.value.code, Code.Canceled);
    const again = await failure(longrunning.cancelOperation({ name }));
    assert.equal(again.findDetails(ErrorInfoSchema)[0]?.reason, "OPERATION_ENDED");
  },
  "lists have filters and pages like ours": async (clients) => {
    const { longrunning } = clients;
    const names = [];
    for (const id of ["a", "b", "c"]) names.unshift((await created(clients, id)).name);
    const first = await longrunning.listOperations({ name: "operations", pageSize: 2 });
    assert.deepEqual(first.operations.map(({ name }) => name), names.slice(0, 2));
    const rest = await longrunning.listOperations({ pageSize: 2, pageToken: first.nextPageToken });
    assert.deepEqual(rest.operations.map(({ name }) => name), names.slice(2));
    assert.equal(rest.nextPageToken, "");
    const filter = 'target = "environments/b"';
    const [only, ...more] = (await longrunning.listOperations({ filter })).operations;
    assert.deepEqual([only?.name, more], [names[1], []]);
    for (
      const [request, reason] of [
        [{ name: "environments" }, "INVALID_FIELDS"],
        [{ filter: "colour = red" }, "INVALID_FILTER"],
        [{ returnPartialSuccess: true }, "PARTIAL_SUCCESS_UNSUPPORTED"],
      ] as const
    ) {
      const error = await failure(longrunning.listOperations(request));
      assert.equal(error.findDetails(ErrorInfoSchema)[0]?.reason, reason);
    }
  },
  "Delete is refused with the reason, and nothing is deleted": async (clients) => {
    const { longrunning } = clients;
    const { name } = await created(clients, "dev");
    const error = await failure(longrunning.deleteOperation({ name }));
    assert.equal(error.code, Code.Unimplemented);
    assert.equal(error.findDetails(ErrorInfoSchema)[0]?.reason, "OPERATIONS_ARE_KEPT");
    assert.equal((await longrunning.getOperation({ name })).name, name);
    const name404 = "operations/00000000-0000-4000-8000-000000000000";
    const missing = await failure(longrunning.getOperation({ name: name404 }));
    assert.equal(missing.findDetails(ErrorInfoSchema)[0]?.reason, "OPERATION_NOT_FOUND");
  },
};

for (const [title, run] of Object.entries(CASES)) testAtAllDoors(title, run);
