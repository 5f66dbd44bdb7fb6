import type { Environment, NewEvent, Orphan, Revision, Workload } from "@mpc/domain";
import { storeClosed } from "../shared/errors.ts";
import type { Store } from "../store.ts";
import { MemoryCollection, type MemoryCommit } from "./collection.ts";
import { MemoryEventLog } from "./event_log.ts";
import { MemoryOperations } from "./operations.ts";

/** Opens a store that lives as long as the process. */
export function openMemoryStore(): Store {
  let open = true;
  let commits = 0;
  const assertOpen = () => {
    if (!open) throw storeClosed();
  };
  const events = new MemoryEventLog(assertOpen);
  const commit: MemoryCommit = {
    assertOpen,
    commit(written: readonly NewEvent[] = []) {
      commits++;
      events.push(written);
    },
  };
  return {
    environments: new MemoryCollection<Environment>(commit),
    workloads: new MemoryCollection<Workload>(commit),
    revisions: new MemoryCollection<Revision>(commit),
    operations: new MemoryOperations(commit),
    orphans: new MemoryCollection<Orphan>(commit),
    events,
    get commits() {
      return commits;
    },
    close() {
      open = false;
      events.close();
      return Promise.resolve();
    },
  };
}
