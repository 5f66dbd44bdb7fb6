import { type Event, MpcError, type NewEvent } from "@mpc/domain";
import type { Collection, EventLog, Stored } from "../store.ts";
import { compactedOf } from "./contents.ts";

/** How many documents are written at once where an adapter cannot load them. */
const AT_ONCE = 32;

/** How many events stand for removed ones in one write. */
const FILLED_AT_ONCE = 1_000;

/** Stands for an event that the other log has removed; it is removed too. */
const FILLER: NewEvent = {
  time: 0,
  type: "NOTICED",
  reason: "OperationForgotten",
  message: "",
  target: "",
  operation: null,
  actor: "",
  resource: null,
};

/**
 * Puts documents into a collection with their versions: at once where its adapter can do that, else
 * by as many writes as each has versions.
 */
export async function loadDocuments<T extends { readonly name: string }>(
  to: Collection<T>,
  documents: readonly Stored<T>[],
): Promise<void> {
  if (to.load) return await to.load(documents);
  for (let start = 0; start < documents.length; start += AT_ONCE) {
    await Promise.all(
      documents.slice(start, start + AT_ONCE).map((stored) => writeVersions(to, stored)),
    );
  }
}

async function writeVersions<T extends { readonly name: string }>(
  to: Collection<T>,
  { value, version }: Stored<T>,
): Promise<void> {
  // An interrupted copy may have made some of the versions.
  let at = (await to.get(value.name))?.version ?? 0;
  if (at === 0) at = (await to.create(value)).version;
  while (at < version) at = (await to.replace(value, at)).version;
}

/**
 * Appends events with their sequences.
 * @param compacted up to which sequence the other log has removed its events
 * @throws {MpcError} FAILED_PRECONDITION `STORE_NOT_LOADABLE`: the log gives other sequences
 */
export async function loadEvents(
  to: EventLog,
  events: readonly Event[],
  compacted: number,
): Promise<void> {
  if (to.load) return await to.load(events, compacted);
  if (await compactedOf(to) < compacted) await fill(to, compacted);
  const last = events.at(-1);
  if (!last) return;
  await to.append(events.map(({ sequence: _, ...event }) => event));
  await assertHead(to, last.sequence);
}

/** Brings an empty log to a sequence. */
async function fill(to: EventLog, compacted: number): Promise<void> {
  for (let head = await to.head(); head < compacted; head = await to.head()) {
    await to.append(Array(Math.min(FILLED_AT_ONCE, compacted - head)).fill(FILLER));
  }
  await assertHead(to, compacted);
  await to.compactBefore(FILLER.time + 1);
}

async function assertHead(to: EventLog, wanted: number): Promise<void> {
  const found = await to.head();
  if (found === wanted) return;
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "STORE_NOT_LOADABLE",
    message:
      `Cannot copy into the store: its log gives the sequence ${found} in place of ${wanted}`,
  });
}
