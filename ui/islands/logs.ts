/// <reference lib="dom" />
/** The log of a workload: new lines appear, can be searched, and wait while it is paused. */

interface LogLine {
  readonly time: string;
  readonly replica: string;
  readonly text: string;
}

/** The most lines that are kept. */
const MAX_LINES = 2_000;

export function startLogs(): void {
  for (const log of document.querySelectorAll<HTMLElement>("[data-log]")) follow(log);
}

function follow(log: HTMLElement): void {
  const search = log.querySelector("input")!;
  const pause = log.querySelector("button")!;
  const status = log.querySelector<HTMLElement>("[role=status]")!;
  const list = log.querySelector<HTMLElement>(".log-lines")!;
  const waiting: LogLine[] = [];
  let paused = false;
  list.scrollTop = list.scrollHeight;

  const say = (text: string) => {
    status.textContent = paused ? `paused, ${waiting.length} new` : text;
  };
  const matches = (line: Element) =>
    line.textContent!.toLowerCase().includes(search.value.toLowerCase());
  const add = (lines: readonly LogLine[]) => {
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    list.querySelector(".log-none")?.remove();
    for (const line of lines) {
      const made = lineOf(line);
      made.hidden = !matches(made);
      list.append(made);
    }
    while (list.childElementCount > MAX_LINES) list.firstElementChild!.remove();
    if (atEnd) list.scrollTop = list.scrollHeight;
  };

  search.oninput = () => {
    for (const line of list.querySelectorAll<HTMLElement>(".log-line")) {
      line.hidden = !matches(line);
    }
  };
  pause.onclick = () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? "Go on" : "Pause";
    if (!paused) add(waiting.splice(0));
    say("live");
  };

  const after = list.querySelector(".log-line:last-child time")?.getAttribute("datetime") ?? "";
  const source = new EventSource(`${log.dataset["log"]}&after=${encodeURIComponent(after)}`);
  source.addEventListener("begun", () => say("live"));
  source.addEventListener("ended", () => {
    source.close();
    say("the log has ended");
  });
  source.onerror = () => say("reconnecting");
  source.onmessage = ({ data }) => {
    const line: LogLine = JSON.parse(data);
    if (paused) {
      waiting.push(line);
      if (waiting.length > MAX_LINES) waiting.shift();
    } else add([line]);
    say("live");
  };
}

function lineOf({ time, replica, text }: LogLine): HTMLElement {
  const line = document.createElement("p");
  line.className = "log-line";
  const moment = document.createElement("time");
  moment.dateTime = moment.title = time;
  moment.textContent = time.slice(11, 23);
  const from = document.createElement("span");
  from.className = "log-from";
  from.title = replica;
  from.textContent = replica.slice(-5);
  const said = document.createElement("bdi");
  said.textContent = text;
  line.append(moment, from, said);
  return line;
}
