/**
 * Follows operations by `google-gax`, as Google's client libraries do, and prints what it learns, one
 * JSON object a line: `follow_with_gax.mjs HOST PORT COMMAND [OPERATION]`.
 *
 * JavaScript, because the types of google-gax do not compile under Deno.
 */
import process from "node:process";
import { fromBinary } from "@bufbuild/protobuf";
import { EnvironmentSchema, OperationSchema } from "@mpc/proto";
import {
  createDefaultBackoffSettings,
  grpc,
  LongrunningDescriptor,
  lro,
  operation,
} from "google-gax";

const [host, port, command, name] = process.argv.slice(2);
const client = lro({ grpc }).operationsClient({
  servicePath: host,
  port,
  sslCreds: grpc.credentials.createInsecure(),
});
const descriptor = new LongrunningDescriptor(
  client,
  (bytes) => fromBinary(EnvironmentSchema, bytes),
  (bytes) => fromBinary(OperationSchema, bytes),
);
const say = (what) => console.log(JSON.stringify(what));

/** The operation with gax's helper around it, which polls, unpacks and cancels. */
async function followed() {
  const [begun] = await client.getOperation({ name });
  return operation(begun, descriptor, createDefaultBackoffSettings());
}

const COMMANDS = {
  async follow() {
    const [environment, { kind, target }] = await (await followed()).promise();
    say({ environment: environment.name, uid: environment.uid, kind, target });
  },
  async cancel() {
    const running = await followed();
    say({ done: running.done, kind: running.metadata.kind });
    await running.cancel();
    await running.promise();
  },
  async list() {
    const pages = client.listOperationsAsync({ name: "operations", pageSize: 1 });
    for await (const { name } of pages) say({ name });
  },
  async delete() {
    await client.deleteOperation({ name });
  },
};

try {
  await COMMANDS[command]();
} catch ({ code, message }) {
  say({ code, message });
} finally {
  client.close();
}
