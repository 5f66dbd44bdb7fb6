/** The API at both doors, with three kinds of clients. */
import assert from "node:assert/strict";
import { type Client, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { createRegistry } from "@bufbuild/protobuf";
import { durationFromMs, EmptySchema } from "@bufbuild/protobuf/wkt";
import { type AllInOne, type AllInOneConfig, startAllInOne } from "@mpc/api";
import {
  AuditService,
  DiagnosticsService,
  EnvironmentSchema,
  EnvironmentService,
  ErrorInfoSchema,
  EventService,
  Health,
  LongRunningOperations,
  OperationSchema,
  OperationService,
  OperationState,
  WorkloadSchema,
  WorkloadService,
} from "@mpc/proto";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { QUIET_CONFIG } from "../fakes/quiet_config.ts";
import { newTestStorePlace } from "../fakes/test_store.ts";

export interface Clients {
  readonly environments: Client<typeof EnvironmentService>;
  readonly workloads: Client<typeof WorkloadService>;
  readonly operations: Client<typeof OperationService>;
  readonly longrunning: Client<typeof LongRunningOperations>;
  readonly events: Client<typeof EventService>;
  readonly audit: Client<typeof AuditService>;
  readonly diagnostics: Client<typeof DiagnosticsService>;
  readonly health: Client<typeof Health>;
}

type Open = (platform: AllInOne) => Transport & { close?: () => void };

/** What the tests find in an `Any`, which JSON clients must know. */
const ANY_TYPES = [
  OperationSchema,
  EnvironmentSchema,
  WorkloadSchema,
  ErrorInfoSchema,
  EmptySchema,
];

const DOORS: Readonly<Record<string, Open>> = {
  "gRPC": ({ grpcAddress: { host, port } }) =>
    createGrpcTransport(new URL(`grpc://${host}:${port}`)),
  "gRPC-Web": ({ webAddress: { host, port } }) =>
    createGrpcWebTransport({ baseUrl: `http://${host}:${port}` }),
  "Connect with JSON": ({ webAddress: { host, port } }) =>
    createConnectTransport({
      baseUrl: `http://${host}:${port}`,
      jsonOptions: { registry: createRegistry(...ANY_TYPES) },
    }),
};

/** Registers a test for each kind of client, with a separate platform for each. */
export function testAtAllDoors(
  title: string,
  run: (clients: Clients, platform: AllInOne) => Promise<void>,
  config: Partial<AllInOneConfig> = {},
): void {
  for (const [door, open] of Object.entries(DOORS)) {
    Deno.test({
      name: `${door}: ${title}`,
      // Clients keep connections in their own pools; close() checks those of the server.
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        const store = await newTestStorePlace();
        const platform = await startAllInOne({ ...QUIET_CONFIG, store: store.address, ...config });
        const transport = open(platform);
        try {
          await run({
            environments: createClient(EnvironmentService, transport),
            workloads: createClient(WorkloadService, transport),
            operations: createClient(OperationService, transport),
            longrunning: createClient(LongRunningOperations, transport),
            events: createClient(EventService, transport),
            audit: createClient(AuditService, transport),
            diagnostics: createClient(DiagnosticsService, transport),
            health: createClient(Health, transport),
          }, platform);
        } finally {
          transport.close?.();
          await platform.close();
          await store.remove();
        }
      },
    });
  }
}

/** The error with which a call must end. */
export async function failure(promise: Promise<unknown>): Promise<ConnectError> {
  try {
    await promise;
  } catch (error) {
    return ConnectError.from(error);
  }
  assert.fail("the call must fail");
}

/** Creates an environment and waits for the operation. */
export async function created({ environments, operations }: Clients, environmentId: string) {
  const { name } = await environments.createEnvironment({ environmentId, environment: {} });
  const operation = await operations.waitOperation({ name, timeout: durationFromMs(5_000) });
  assert.equal(operation.state, OperationState.SUCCEEDED);
  return operation;
}
