/** Timestamps and durations that are none: only binary messages can hold them. */
import assert from "node:assert/strict";
import { Code, type ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { type AllInOne, startAllInOne } from "@mpc/api";
import {
  BadRequestSchema,
  EnvironmentService,
  ErrorInfoSchema,
  OperationService,
  WorkloadService,
} from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { QUIET_CONFIG } from "../fakes/quiet_config.ts";
import { failure } from "./doors.ts";

const time = (seconds: bigint, nanos: number) => ({ seconds, nanos });

const BAD_TIMESTAMPS = [
  time(2_000_000_000n, -1),
  time(2_000_000_000n, 1_000_000_000),
  time(253_402_300_800n, 0),
  time(-62_135_596_801n, 0),
];

const BAD_DURATIONS = [
  time(3_600n, -1),
  time(-3_600n, 1),
  time(3_600n, 1_000_000_000),
  time(315_576_000_001n, 0),
];

function violationsOf(error: ConnectError): readonly string[] {
  assert.equal(error.code, Code.InvalidArgument, error.message);
  assert.equal(error.findDetails(ErrorInfoSchema)[0]?.reason, "INVALID_FIELDS");
  const [bad] = error.findDetails(BadRequestSchema);
  return bad?.fieldViolations.map(({ field, reason }) => `${field} ${reason}`) ?? [];
}

const DOORS: Readonly<
  Record<string, (platform: AllInOne) => Transport & { close?: () => void }>
> = {
  "gRPC": ({ grpcAddress: { host, port } }) =>
    createGrpcTransport(new URL(`grpc://${host}:${port}`)),
  "gRPC-Web": ({ webAddress: { host, port } }) =>
    createGrpcWebTransport({ baseUrl: `http://${host}:${port}` }),
};

for (const [door, open] of Object.entries(DOORS)) {
  Deno.test({
    name: `${door}: times that are none are refused, field by field`,
    // Clients keep connections in pools of their own; the server's are checked by its close().
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const platform = await startAllInOne(QUIET_CONFIG);
      const transport = open(platform);
      try {
        const environments = createClient(EnvironmentService, transport);
        const workloads = createClient(WorkloadService, transport);
        const operations = createClient(OperationService, transport);
        for (const expireTime of BAD_TIMESTAMPS) {
          const environment = { name: "environments/dev", expireTime };
          for (
            const call of [
              environments.createEnvironment({ environmentId: "dev", environment }),
              environments.updateEnvironment({ environment }),
            ]
          ) {
            const told = violationsOf(await failure(call));
            assert.deepEqual(told, ["environment.expire_time TIMESTAMP"], `${expireTime.seconds}`);
          }
          const since = workloads.streamLogs({
            name: "environments/dev/workloads/web",
            since: expireTime,
          });
          const read = since[Symbol.asyncIterator]().next();
          assert.deepEqual(violationsOf(await failure(read)), ["since TIMESTAMP"]);
        }
        for (const bad of BAD_DURATIONS) {
          const check = { path: "/", port: 80, period: bad };
          const deploy = workloads.deployWorkload({
            parent: "environments/dev",
            workloadId: "web",
            timeout: bad,
            workload: {
              spec: { image: "nginx:1", progressDeadline: bad, healthCheck: check },
              conditions: [{}, { lastTransitionTime: time(0n, -1) }],
            },
          });
          assert.deepEqual(violationsOf(await failure(deploy)), [
            "workload.conditions[1].last_transition_time TIMESTAMP",
            "workload.spec.health_check.period DURATION",
            "workload.spec.progress_deadline DURATION",
            "timeout DURATION",
          ]);
          const wait = operations.waitOperation({ name: "operations/none", timeout: bad });
          assert.deepEqual(violationsOf(await failure(wait)), ["timeout DURATION"]);
        }
        const last = time(2_000_000_000n, 999_999_999);
        const created = environments.createEnvironment({
          environmentId: "dev",
          environment: { expireTime: last },
        });
        const error = await failure(created);
        assert.deepEqual(violationsOf(error), ["environment.expire_time TTL"], "a good one");
      } finally {
        transport.close?.();
        await platform.close();
      }
    },
  });
}
