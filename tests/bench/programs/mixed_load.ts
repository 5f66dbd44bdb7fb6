/**
 * Clients that create environments and clients that read one, at once:
 * `mixed_load.ts GRPC_URL CREATING READING`. For each line of input, a time in ms, it runs that long
 * and prints creates and reads per second and the median time of a read.
 */
import { createClient } from "@connectrpc/connect";
import { EnvironmentService, OperationService } from "@mpc/proto";
import { createGrpcTransport } from "../../../client/grpc_transport.ts";
import { quantile, rate, timed } from "../measure.ts";

const [url = "", creating = "0", reading = "0"] = Deno.args;
const transport = createGrpcTransport(new URL(url));
const environments = createClient(EnvironmentService, transport);
const operations = createClient(OperationService, transport);
const { name } = await environments.createEnvironment({ environmentId: "read", environment: {} });
await operations.waitOperation({ name });
let made = 0;

async function run(ms: number): Promise<void> {
  const took: number[] = [];
  const [creates, gets] = await Promise.all([
    rate(
      () => environments.createEnvironment({ environmentId: `load-${made++}`, environment: {} }),
      { ms, inFlight: Number(creating) },
    ),
    rate(async () => {
      took.push(await timed(() => environments.getEnvironment({ name: "environments/read" })));
    }, { ms, inFlight: Number(reading) }),
  ]);
  console.log(JSON.stringify({ creates, gets, getMs: quantile(took) }));
}

console.log("ready");
const input = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
for await (const line of input) await run(Number(line));
