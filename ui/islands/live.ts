/// <reference lib="dom" />
/** Keeps a page current: events say that it has changed, then it is loaded again. */
import { morph } from "./morph.ts";

/** Pages are loaded again at most this often. */
const PAUSE_MS = 700;

/** After this time without a connection, the page says since when it is stale. */
const STALE_MS = 8_000;

/** The server sends something at least every 15 seconds. */
const SILENCE_MS = 40_000;

type Live = "live" | "reconnecting" | "stale";

/** @param onChange called when the page has changed */
export function startLive(onChange: () => void): void {
  const { watch, position = "", refresh } = document.body.dataset;
  if (watch === undefined && refresh === undefined) return;
  const place = document.getElementById("live")!;
  const text = document.getElementById("live-text")!;
  let lastId = position;
  let lostAt: number | undefined;
  let loading = false;
  let again = false;
  let source: EventSource | undefined;
  let lastHeard = performance.now();

  const show = (state: Live) => {
    const said = state === "stale"
      ? `stale since ${new Date(lostAt!).toLocaleTimeString()}`
      : state;
    if (text.textContent !== said) text.textContent = said;
    place.dataset["state"] = state;
  };
  const lost = () => {
    lostAt ??= Date.now();
    show(Date.now() - lostAt > STALE_MS ? "stale" : "reconnecting");
  };
  const found = () => {
    lostAt = undefined;
    show("live");
  };

  async function reload(): Promise<void> {
    if (loading) {
      again = true;
      return;
    }
    loading = true;
    try {
      const response = await fetch(location.href, { headers: { accept: "text/html" } });
      if (response.redirected) return location.reload();
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const next = page.getElementById("main");
      // A server that fails for a moment does not take away what was seen last.
      if (!next || response.status >= 500) return lost();
      document.title = page.title;
      const icon = page.querySelector<HTMLLinkElement>("link[rel=icon]");
      document.querySelector<HTMLLinkElement>("link[rel=icon]")!.href = icon!.href;
      morph(document.getElementById("main")!, next);
      onChange();
      if (watch === undefined) found();
    } catch {
      // The server cannot be reached; the next event or the next interval tries again.
      lost();
    } finally {
      setTimeout(() => {
        loading = false;
        if (again) {
          again = false;
          void reload();
        }
      }, PAUSE_MS);
    }
  }

  function connect(): void {
    source?.close();
    const query = new URLSearchParams({ watch: watch!, after: lastId });
    source = new EventSource(`/ui/live?${query}`);
    const heard = (event: MessageEvent) => {
      lastHeard = performance.now();
      if (event.lastEventId) lastId = event.lastEventId;
    };
    source.addEventListener("ready", (event) => {
      heard(event);
      if (lostAt !== undefined && event.data === "reset") void reload();
      found();
    });
    source.addEventListener("lost", (event) => {
      heard(event);
      lost();
    });
    source.addEventListener("alive", heard);
    source.addEventListener("changed", (event) => {
      heard(event);
      found();
      void reload();
    });
    source.onerror = () => {
      lost();
      // The browser gives up after an answer that is not of the expected kind.
      if (source!.readyState === EventSource.CLOSED) setTimeout(connect, 2_000);
    };
  }

  if (watch !== undefined) {
    connect();
    setInterval(() => {
      if (lostAt !== undefined) lost();
      else if (performance.now() - lastHeard > SILENCE_MS) {
        lost();
        connect();
      }
    }, 1_000);
  } else found();
  if (refresh !== undefined) {
    setInterval(() => {
      if (document.visibilityState === "visible") void reload();
    }, Number(refresh));
  }
}
