import type { Event } from "@mpc/domain";

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** A moment within a message. */
const MOMENT = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;

/**
 * The events without times, and with ids numbered in order: equal for equal histories. The
 * janitor's events are separate, because its pass runs concurrently with operations.
 */
export function comparableLog(events: readonly Event[]): unknown {
  const ids = new Map<string, string>();
  const number = (id: string) => {
    if (!ids.has(id)) ids.set(id, `id-${ids.size + 1}`);
    return ids.get(id)!;
  };
  const comparable = (told: readonly Event[]) =>
    told.map((event) =>
      JSON.parse(JSON.stringify(event, blank).replaceAll(ID, number).replaceAll(MOMENT, "a time"))
    );
  const { janitor = [], operations = [] } = Object.groupBy(
    events,
    ({ actor }) => actor === "system:janitor" ? "janitor" : "operations",
  );
  // The janitor sweeps many resources at once: its events are in order only for each resource.
  const byTarget = janitor.toSorted((a, b) =>
    a.target < b.target ? -1 : Number(a.target > b.target)
  );
  return { operations: comparable(operations), janitor: comparable(byTarget) };
}

/** Blanks values that may differ. */
function blank(key: string, value: unknown): unknown {
  if (/(?:^t|T)ime$|^deadline$|^outageSince$/.test(key)) return value === null ? null : "a time";
  // The janitor's events are counted among the others.
  if (key === "sequence") return "a number";
  // The engine is the only value that may differ; a request hash may have covered an id.
  if (key === "engine") return "an engine";
  if (key === "requestHash") return "a hash";
  return value;
}
