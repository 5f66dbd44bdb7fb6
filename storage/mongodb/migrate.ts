import { getLogger } from "@logtape/logtape";
import { type CreateIndexesOptions, type Db, MongoServerError } from "mongodb";
import { MpcError } from "@mpc/domain";
import { isDuplicate } from "./errors.ts";
import { EVENT_INDEXES, type Index, INDEXES, specificationOf } from "./indexes.ts";

/**
 * The schema of the database as a whole: its collections, indexes and log. The documents of a
 * collection have a schema of their own, which its codec upgrades.
 */
export const DATABASE_SCHEMA = 1;

/** An index with the same fields under another name, or with the same name. */
const INDEX_CONFLICTS: ReadonlySet<unknown> = new Set([
  85, // IndexOptionsConflict
  86, // IndexKeySpecsConflict
]);

/**
 * How long the server may take to create the indexes of one collection. It reads the whole collection,
 * which takes longer than the `socketTimeoutMS` of an address lets a call wait.
 */
const CREATE_INDEXES_MS = 3_600_000;

/** The interval of reporting that indexes are still being created. */
const REPORT_EVERY_MS = 10_000;

/** The driver passes the limit of a single call on to its connection, which its types leave out. */
const LONG_CALL: CreateIndexesOptions & { readonly socketTimeoutMS: number } = {
  socketTimeoutMS: CREATE_INDEXES_MS,
};

const log = getLogger(["mpc", "storage"]);

interface SchemaRecord {
  readonly _id: "schema";
  readonly version: number;
}

/**
 * Creates what a database lacks, and checks the rest. If several processes open the database at
 * once, each of them does it, which is as good as once.
 * @throws {MpcError} FAILED_PRECONDITION `STORE_TOO_NEW` or `STORE_INDEXES_DIFFER`
 */
export async function migrate(database: Db): Promise<void> {
  const records = database.collection<SchemaRecord>("meta");
  try {
    await records.insertOne({ _id: "schema", version: DATABASE_SCHEMA });
  } catch (error) {
    if (!isDuplicate(error)) throw error;
  }
  const version = (await records.findOne({ _id: "schema" }))?.version ?? DATABASE_SCHEMA;
  if (version > DATABASE_SCHEMA) {
    throw new MpcError("FAILED_PRECONDITION", {
      reason: "STORE_TOO_NEW",
      message:
        `Cannot open the database '${database.databaseName}': a newer version wrote it (schema ${version}), ` +
        `this one knows schema ${DATABASE_SCHEMA}; update, or choose another database`,
      metadata: { found: String(version), known: String(DATABASE_SCHEMA) },
    });
  }
  const present = new Set(
    (await database.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name),
  );
  await Promise.all(
    Object.entries({ ...INDEXES, events: EVENT_INDEXES }).map(([name, indexes]) =>
      createIndexes(database, name, indexes, present.has(name))
    ),
  );
}

async function createIndexes(
  database: Db,
  collection: string,
  indexes: readonly Index[],
  exists: boolean,
): Promise<void> {
  const present = exists ? await indexesOf(database, collection) : new Map<string, string>();
  const missing = indexes.filter(({ name }) => !present.has(name));
  if (missing.length > 0) {
    const descriptions = missing.map((index) => ({
      key: specificationOf(index),
      name: index.name,
      ...(index.unique && { unique: true }),
      ...(index.sparse && { sparse: true }),
    }));
    const began = performance.now();
    const report = setInterval(() => {
      log.info("Creating the indexes {indexes} of '{collection}', for {seconds} s so far", {
        indexes: missing.map(({ name }) => name).join(", "),
        collection,
        seconds: Math.round((performance.now() - began) / 1_000),
      });
    }, REPORT_EVERY_MS);
    try {
      await database.collection(collection).createIndexes(descriptions, LONG_CALL);
    } catch (error) {
      if (!(error instanceof MongoServerError) || !INDEX_CONFLICTS.has(error.code)) throw error;
      throw new MpcError("FAILED_PRECONDITION", {
        reason: "STORE_INDEXES_DIFFER",
        message: `Cannot open the database '${database.databaseName}': '${collection}' has an ` +
          `index of somebody else in the place of ours (${error.message}); drop that index, and ` +
          "ours is created at the next start",
        cause: error,
      });
    } finally {
      clearInterval(report);
    }
  }
  for (const index of indexes) {
    const found = present.get(index.name);
    if (!found || found === signatureOf(index)) continue;
    throw new MpcError("FAILED_PRECONDITION", {
      reason: "STORE_INDEXES_DIFFER",
      message:
        `Cannot open the database '${database.databaseName}': its index '${index.name}' of ` +
        `'${collection}' is ${found}, must be ${signatureOf(index)}; drop that index, ` +
        "and it is created again at the next start",
    });
  }
}

/** The indexes of a collection, by name. */
async function indexesOf(database: Db, collection: string): Promise<ReadonlyMap<string, string>> {
  const indexes = await database.collection(collection).listIndexes().toArray();
  return new Map(indexes.map(({ name, key, unique, sparse }) => [
    String(name),
    signature(key, unique === true, sparse === true),
  ]));
}

const signatureOf = (index: Index): string =>
  signature(specificationOf(index), index.unique === true, index.sparse === true);

function signature(key: Readonly<Record<string, unknown>>, unique: boolean, sparse: boolean) {
  const fields = Object.entries(key).map(([field, way]) => way === -1 ? `${field} down` : field);
  return `(${fields.join(", ")})${unique ? " unique" : ""}${sparse ? " sparse" : ""}`;
}
