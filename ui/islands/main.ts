/// <reference lib="dom" />
/** What pages do beyond what they show: keep times current, copy, keys, the palette, live updates. */
import { relative, spanOf } from "../format/time.ts";
import { startLive } from "./live.ts";
import { startLogs } from "./logs.ts";
import { startPalette } from "./palette.ts";

/** How far this browser's clock is ahead of the server's, in milliseconds. */
const ahead = Date.now() - Number(document.body.dataset["now"]);

function keepTimes(): void {
  const now = Date.now() - ahead;
  for (const time of document.querySelectorAll<HTMLTimeElement>("time[data-rel]")) {
    setText(time, relative(Date.parse(time.dateTime), now));
  }
  for (const span of document.querySelectorAll<HTMLElement>("[data-since]")) {
    setText(span, spanOf(now - Date.parse(span.dataset["since"]!)));
  }
}

function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

setInterval(keepTimes, 1_000);

document.addEventListener("click", async ({ target }) => {
  const button = target instanceof Element && target.closest<HTMLElement>("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset["copy"]!);
  button.textContent = "Copied";
  setTimeout(() => button.textContent = "Copy", 1_500);
});

startLive(keepTimes);
startLogs();
startPalette();
