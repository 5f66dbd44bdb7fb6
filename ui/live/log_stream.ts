import { timestampDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Connection, followLogs } from "@mpc/client";
import type { StreamLogsResponse } from "@mpc/proto";
import { shown } from "../format/text.ts";
import { MAX_LINE } from "../components/log_lines.tsx";

/**
 * Answers with the new lines of a workload's log as server-sent events, each with its time as the
 * id, until the viewer has gone or the dashboard closes.
 */
export function logStream(api: Connection, request: Request, closing: AbortSignal): Response {
  const { searchParams } = new URL(request.url);
  const after = Date.parse(request.headers.get("last-event-id") ?? searchParams.get("after") ?? "");
  const stop = new AbortController();
  const lines = followLogs(api, {
    name: searchParams.get("name") ?? "",
    replica: searchParams.get("replica") ?? "",
    // Whether `since` includes its moment depends on the cluster.
    ...(Number.isNaN(after) ? { tail: 1 } : { since: timestampFromMs(after + 1) }),
  }, { signal: AbortSignal.any([stop.signal, closing]) });
  const encoder = new TextEncoder();
  let begun = false;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (!begun) {
        begun = true;
        // Headers are sent with the first bytes.
        return controller.enqueue(encoder.encode("retry: 2000\nevent: begun\ndata:\n\n"));
      }
      try {
        const { value, done } = await lines.next();
        if (!done) return controller.enqueue(encoder.encode(eventOf(value)));
        controller.enqueue(encoder.encode("event: ended\ndata:\n\n"));
        controller.close();
      } catch {
        // The page has shown why the log cannot be read; the browser tries again.
        controller.close();
      }
    },
    cancel: () => stop.abort(),
  });
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    },
  });
}

function eventOf({ time, replica, text }: StreamLogsResponse): string {
  const moment = time ? timestampDate(time).toISOString() : "";
  const line = { time: moment, replica: shown(replica, 80), text: shown(text, MAX_LINE) };
  return `${moment ? `id: ${moment}\n` : ""}data: ${JSON.stringify(line)}\n\n`;
}
