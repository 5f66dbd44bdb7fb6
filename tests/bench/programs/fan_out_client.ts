/**
 * Watches through many streams at once: `fan_out_client.ts URL STREAMS`. Prints `ready` when all
 * have begun; then, for each event that every stream has received, its delay in milliseconds.
 */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { EventService } from "@mpc/proto";
import { createGrpcTransport } from "../../../client/grpc_transport.ts";

const PER_CONNECTION = 100;

const [url = "", count = "0"] = Deno.args;
const streams = Number(count);
const arrived = new Map<string, number>();
let synced = 0;

async function watch(client: ReturnType<typeof createClient<typeof EventService>>): Promise<void> {
  const request = { kinds: ["environment"], skipExisting: true };
  for await (const told of client.watchEvents(request)) {
    if (told.synced && ++synced === streams) console.log("ready");
    if (!told.event?.time) continue;
    const key = String(told.event.sequence);
    const seen = (arrived.get(key) ?? 0) + 1;
    arrived.set(key, seen);
    if (seen === streams) console.log(String(Date.now() - timestampMs(told.event.time)));
  }
}

for (let begun = 0; begun < streams; begun += PER_CONNECTION) {
  // Each stream has its own connection: grpc-js shares none, because the options differ.
  const transport = createGrpcTransport(new URL(url), {
    client: { "grpc.use_local_subchannel_pool": 1 },
  });
  const client = createClient(EventService, transport);
  for (let n = 0; n < Math.min(PER_CONNECTION, streams - begun); n++) {
    watch(client).catch((error) => {
      console.error(error);
      Deno.exit(1);
    });
  }
}
