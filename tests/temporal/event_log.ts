import type { Event } from "@mpc/domain";

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/**
 * What was told, without times and with ids numbered as they come: equal for equal histories. What
 * the janitor told stands apart: its pass goes on beside the operations.
 */
export function comparableLog(events: readonly Event[]): unknown {
  const ids = new Map<string, string>();
  const number = (id: string) => {
    if (!ids.has(id)) ids.set(id, `id-${ids.size + 1}`);
    return ids.get(id)!;
  };
  const comparable = (told: readonly Event[]) =>
    told.map((event) => JSON.parse(JSON.stringify(event, blank).replaceAll(ID, number)));
  const { janitor = [], operations = [] } = Object.groupBy(
    events,
    ({ actor }) => actor === "system:janitor" ? "janitor" : "operations",
  );
  // The janitor sweeps many resources at the same time: its events are in order for each alone.
  const byTarget = janitor.toSorted((a, b) =>
    a.target < b.target ? -1 : Number(a.target > b.target)
  );
  return { operations: comparable(operations), janitor: comparable(byTarget) };
}

/** Blanks what may differ. */
function blank(key: string, value: unknown): unknown {
  if (/(?:^t|T)ime$|^deadline$/.test(key)) return value === null ? null : "a time";
  // The janitor's events are counted among the rest.
  if (key === "sequence") return "a number";
  // Which engine runs it is the one thing that may differ; a request may have held an id.
  if (key === "engine") return "an engine";
  if (key === "requestHash") return "a hash";
  return value;
}
