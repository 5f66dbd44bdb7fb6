import type { CommandStartedEvent } from "mongodb";
import type {
  AuditMark,
  ClusterClaim,
  DeadLetter,
  Environment,
  EventSink,
  Installation,
  Lease,
  Orphan,
  Revision,
  Token,
  Workload,
} from "@mpc/domain";
import type { ReadOptions, Store } from "../store.ts";
import { MongoAudit } from "./audit.ts";
import type { Block, LogState } from "./block_chain.ts";
import { Calls } from "./calls.ts";
import type { CollectionName, MongoDocument } from "./codec.ts";
import { type MongoAccess, MongoCollection } from "./collection.ts";
import { storeError } from "./errors.ts";
import { MongoEventLog } from "./event_log.ts";
import { GroupCommit } from "./group_commit.ts";
import { migrate } from "./migrate.ts";
import { openDatabase } from "./open_database.ts";
import { MongoOperations } from "./operations.ts";
import { Outbox } from "./outbox.ts";

/** The document that is written to find out whether the database can be written. */
interface Trial {
  readonly _id: "trial";
  readonly count: number;
}

export interface MongoStoreOptions {
  /** `mongodb://…` or `mongodb+srv://…`, with any option of a connection string. */
  readonly address: string;
  /** How long a call is repeated after errors that pass; 20 seconds by default. */
  readonly patienceMs?: number;
  /** Called with each command that is sent to the server; tests read plans of them. */
  readonly onCommand?: (command: CommandStartedEvent) => void;
}

/** A handle of a store in a MongoDB database. */
export interface MongoStore extends Store {
  /** Checks by a trial that the database can be written; see {@linkcode Store}. */
  assertWritable(options?: ReadOptions): Promise<void>;
  /** Blocks that this handle has appended to the log; tests measure cost by them. */
  readonly blocks: number;
}

/**
 * Opens the store in a MongoDB database, and creates its collections and indexes. Any number of
 * processes may open it. The server needs neither a replica set nor transactions.
 *
 * Besides the errors of the port, a call fails with `UNAVAILABLE` `STORE_UNAVAILABLE` if the
 * database does not answer within the call's deadline, and a write also if its answer was lost and
 * nothing tells whether it was made. A document that is too large is `INVALID_ARGUMENT`
 * `DOCUMENT_TOO_LARGE`.
 * @throws {MpcError} as `openDatabase` and `migrate`
 */
export async function openMongoStore(options: MongoStoreOptions): Promise<MongoStore> {
  const { client, database, changeStreams, problem } = await openDatabase(
    options.address,
    options.onCommand,
  );
  const calls = new Calls({
    patienceMs: options.patienceMs,
    replyMs: client.options.socketTimeoutMS,
    problem,
  });
  const collection = (name: CollectionName) => database.collection<MongoDocument>(name);
  const events: MongoEventLog = new MongoEventLog({
    changeStreams,
    blocks: database.collection<Block>("events"),
    state: database.collection<LogState>("meta"),
    calls,
    parts: () => ({ commit, outbox }),
  });
  const meta = database.collection<Trial>("meta");
  const commit = new GroupCommit(calls, events.chain);
  const outbox: Outbox = new Outbox({
    calls,
    commit,
    collection,
    isOut: (id) => events.chain.has(id),
  });
  try {
    await migrate(database);
    await events.open();
  } catch (error) {
    await client.close();
    throw storeError(error);
  }
  const access: MongoAccess = { calls, outbox, collection };
  return {
    environments: new MongoCollection<Environment>(access, "environments"),
    workloads: new MongoCollection<Workload>(access, "workloads"),
    revisions: new MongoCollection<Revision>(access, "revisions"),
    operations: new MongoOperations(access, "operations"),
    orphans: new MongoCollection<Orphan>(access, "orphans"),
    installations: new MongoCollection<Installation>(access, "installations"),
    claims: new MongoCollection<ClusterClaim>(access, "claims"),
    leases: new MongoCollection<Lease>(access, "leases"),
    tokens: new MongoCollection<Token>(access, "tokens"),
    audit: new MongoAudit(access, "audit"),
    auditMarks: new MongoCollection<AuditMark>(access, "auditMarks"),
    eventSinks: new MongoCollection<EventSink>(access, "eventSinks"),
    deadLetters: new MongoCollection<DeadLetter>(access, "deadLetters"),
    events,
    async assertWritable({ signal }: ReadOptions = {}) {
      const trial = { $inc: { count: 1 } };
      const write = () => meta.updateOne({ _id: "trial" }, trial, { upsert: true });
      await calls.read(signal, write);
    },
    get blocks() {
      return commit.blocks;
    },
    async close() {
      if (!calls.isOpen) return;
      events.close();
      await calls.close();
      await outbox.clear();
      await client.close();
    },
  };
}
