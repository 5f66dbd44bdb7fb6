/**
 * Watches by many streams at once: `fan_out_client.ts URL STREAMS`. Says `ready` when all have
 * begun, and for each event, when the last of them has it, how long after its time that was, in ms.
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
  // Each a connection of its own: the options differ, so that grpc-js shares none.
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
