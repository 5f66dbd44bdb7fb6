import type { Collection, Store } from "@mpc/storage";

/** Combines two handles of one store: writes go to the first, reads and tails to the second. */
export function writtenAndRead(writer: Store, reader: Store): Store {
  const collection = <T extends { readonly name: string }>(
    written: Collection<T>,
    read: Collection<T>,
  ): Collection<T> => ({
    create: (value, options) => written.create(value, options),
    replace: (value, version, options) => written.replace(value, version, options),
    delete: (name, version, options) => written.delete(name, version, options),
    get: (name, options) => read.get(name, options),
    list: (query) => read.list(query),
    count: (query) => read.count(query),
  });
  return {
    environments: collection(writer.environments, reader.environments),
    workloads: collection(writer.workloads, reader.workloads),
    revisions: collection(writer.revisions, reader.revisions),
    orphans: collection(writer.orphans, reader.orphans),
    claims: collection(writer.claims, reader.claims),
    leases: collection(writer.leases, reader.leases),
    tokens: collection(writer.tokens, reader.tokens),
    audit: {
      ...collection(writer.audit, reader.audit),
      append: (records) => writer.audit.append(records),
    },
    auditMarks: collection(writer.auditMarks, reader.auditMarks),
    eventSinks: collection(writer.eventSinks, reader.eventSinks),
    deadLetters: collection(writer.deadLetters, reader.deadLetters),
    installations: collection(writer.installations, reader.installations),
    operations: {
      ...collection(writer.operations, reader.operations),
      findByRequestId: (actor, id, options) =>
        reader.operations.findByRequestId(actor, id, options),
    },
    events: {
      append: (events, options) => writer.events.append(events, options),
      compactBefore: (time, options) => writer.events.compactBefore(time, options),
      head: (options) => reader.events.head(options),
      read: (after, limit, options) => reader.events.read(after, limit, options),
      tail: (after, signal) => reader.events.tail(after, signal),
      follow: (after, signal) => reader.events.follow(after, signal),
    },
    assertWritable: (options) => writer.assertWritable?.(options) ?? Promise.resolve(),
    async close() {
      await writer.close();
      await reader.close();
    },
  };
}
