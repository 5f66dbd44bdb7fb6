import type { EventHub, Notice } from "./event_hub.ts";

/** Proxies and browsers take a connection for dead that is silent for long. */
const HEARTBEAT_MS = 15_000;

/** How many notices a reader may leave unread. It then reconnects, and learns what it missed. */
const MAX_UNREAD = 64;

/** The most resources that one page watches, and the longest name. */
const MAX_WATCHED = 20;
const MAX_NAME = 300;

/** Answers with notices as server-sent events (HTML standard, "Server-sent events"). */
export function liveStream(hub: EventHub, request: Request): Response {
  const { searchParams } = new URL(request.url);
  const watch = (searchParams.get("watch") ?? "").split(" ")
    .filter((name) => name !== "" && name.length <= MAX_NAME).slice(0, MAX_WATCHED);
  const after = request.headers.get("last-event-id") ?? searchParams.get("after") ?? "";
  let stop = () => {};
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (text: string) => {
        if ((controller.desiredSize ?? 0) <= 0) finish();
        else controller.enqueue(encoder.encode(text));
      };
      const heartbeat = setInterval(() => send("event: alive\ndata:\n\n"), HEARTBEAT_MS);
      let ended = false;
      const finish = () => {
        if (ended) return;
        ended = true;
        stop();
        controller.close();
      };
      const unsubscribe = hub.subscribe({
        watch,
        after,
        notify: (notice) => send(eventOf(notice)),
        end: finish,
      });
      stop = () => {
        ended = true;
        clearInterval(heartbeat);
        unsubscribe();
      };
      if (ended) stop();
      // Headers are sent with the first bytes.
      else send("retry: 1000\n\n");
    },
    cancel: () => stop(),
  }, { highWaterMark: MAX_UNREAD });
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      // Proxies that buffer would hold notices back.
      "x-accel-buffering": "no",
    },
  });
}

function eventOf({ type, position }: Notice): string {
  const name = type === "reset" ? "ready" : type;
  const id = type === "lost" || position === "" ? "" : `id: ${position}\n`;
  return `event: ${name}\n${id}data: ${type}\n\n`;
}
