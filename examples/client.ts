import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import {
  EnvironmentService,
  EventService,
  EventType,
  OperationService,
  OperationState,
} from "@mpc/proto";

const baseUrl = Deno.args[0] ?? "http://127.0.0.1:8080";
const transport = createGrpcWebTransport({ baseUrl });
const environments = createClient(EnvironmentService, transport);
const operations = createClient(OperationService, transport);
const events = createClient(EventService, transport);

// The same request id and body is the same operation, however often it is sent.
const { name } = await environments.createEnvironment({
  environmentId: "preview",
  environment: { labels: { team: "web" } },
  requestId: crypto.randomUUID(),
});
const ended = await operations.waitOperation({ name }, { timeoutMs: 60_000 });
console.log(ended.target, OperationState[ended.state]);

// First what is, then what happens; a watch that broke goes on from its last token.
let resumeToken = "";
const stop = new AbortController();
const request = { target: ended.target, kinds: ["environment"], resumeToken };
for await (const told of events.watchEvents(request, { signal: stop.signal })) {
  resumeToken = told.resumeToken || resumeToken;
  if (told.event) console.log(EventType[told.event.type], told.event.target);
  if (told.synced) break;
}
stop.abort();
