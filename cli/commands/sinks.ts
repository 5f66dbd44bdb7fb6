import { callJson } from "@mpc/client/call_json";
import type {
  DeadLetterJson,
  EventSinkJson,
  ListDeadLettersResponseJson,
  ListEventSinksResponseJson,
  ResendDeadLettersResponseJson,
} from "@mpc/proto";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../errors/cli_error.ts";
import type { ListFlags } from "../flags/list_flags.ts";
import { idOf } from "../names.ts";
import type { Column } from "../output/columns.ts";
import { age, until } from "../output/time.ts";
import { listWhole } from "./list.ts";

const SERVICE = "mpc.v1.EventSinkService";

const SINK_COLUMNS: readonly Column<EventSinkJson>[] = [
  { header: "NAME", fields: ["name"], value: (s) => idOf(s.name ?? "") },
  {
    header: "STATE",
    fields: ["state"],
    value: (s) => (s.state ?? "").replace("EVENT_SINK_STATE_", ""),
  },
  { header: "LAG", fields: ["lag"], value: (s) => s.lag ?? "0s" },
  { header: "DEAD", fields: ["deadLetters"], value: (s) => String(s.deadLetters ?? 0) },
  { header: "NEXT TRY", fields: ["nextAttemptTime"], value: (s) => until(s.nextAttemptTime) },
  { header: "LAST ERROR", fields: ["lastError"], value: (s) => s.lastError ?? "" },
  { header: "RECEIVER", fields: ["origin"], value: (s) => s.origin ?? "", wide: true },
  { header: "POSITION", fields: ["position"], value: (s) => String(s.position ?? 0), wide: true },
  { header: "FILTER", fields: ["filter"], value: (s) => s.filter ?? "", wide: true },
];

const LETTER_COLUMNS: readonly Column<DeadLetterJson>[] = [
  { header: "NAME", fields: ["name"], value: (l) => idOf(l.name ?? "") },
  { header: "REASON", fields: ["event"], value: (l) => l.event?.reason ?? "" },
  { header: "TARGET", fields: ["event"], value: (l) => l.event?.target ?? "" },
  { header: "ATTEMPTS", fields: ["attempts"], value: (l) => String(l.attempts ?? 0) },
  { header: "AGE", fields: ["createTime"], value: (l) => age(l.createTime) },
  { header: "ERROR", fields: ["error"], value: (l) => l.error ?? "" },
];

/** `mpctl sink list` */
export const listSinks = (context: CommandContext, flags: ListFlags): Promise<number> =>
  listWhole(context, flags, SINK_COLUMNS, "No event sinks", async (page) => {
    const { eventSinks = [], nextPageToken = "" } = await callJson<ListEventSinksResponseJson>(
      context.config,
      `${SERVICE}/ListEventSinks`,
      page,
    );
    return { items: eventSinks, nextPageToken };
  });

/** `mpctl sink dead-letters` */
export const listDeadLetters = (
  context: CommandContext,
  sink: string,
  flags: ListFlags,
): Promise<number> =>
  listWhole(context, flags, LETTER_COLUMNS, "No dead letters", async (page) => {
    const { deadLetters = [], nextPageToken = "" } = await callJson<ListDeadLettersResponseJson>(
      context.config,
      `${SERVICE}/ListDeadLetters`,
      { ...page, parent: sinkName(sink) },
    );
    return { items: deadLetters, nextPageToken };
  });

/** `mpctl sink resend` */
export async function resend(
  context: CommandContext,
  sink: string,
  letters: readonly string[],
): Promise<number> {
  const parent = sinkName(sink);
  const names = letters.map((name) =>
    name.includes("/") ? name : `${parent}/deadLetters/${name.padStart(16, "0")}`
  );
  const { count = 0 } = await callJson<ResendDeadLettersResponseJson>(
    context.config,
    `${SERVICE}/ResendDeadLetters`,
    { parent, names },
  );
  context.terminal.err(`${count} dead letters of '${idOf(parent)}' are sent again\n`);
  return EXIT.OK;
}

const sinkName = (typed: string): string =>
  typed.startsWith("eventSinks/") ? typed : `eventSinks/${typed}`;
