import { connect, waitForOperation, watchEvents } from "@mpc/client";
import { EnvironmentService, EventType, OperationState } from "@mpc/proto";

const server = new URL(Deno.args[0] ?? "http://127.0.0.1:8080");
const connection = await connect({ server });

// A repeated call with the same request id and body returns the same operation.
const operation = await connection.client(EnvironmentService).createEnvironment({
  environmentId: "preview",
  environment: { labels: { team: "web" } },
  requestId: crypto.randomUUID(),
});
const { target, state } = await waitForOperation(connection, operation);
console.log(target, OperationState[state]);

// First what exists, then what happens; a broken watch resumes after its last token.
for await (const { event, synced } of watchEvents(connection, { target, kinds: ["environment"] })) {
  if (event) console.log(EventType[event.type], event.target);
  if (synced) break;
}
connection.close();
