import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openSqliteStore } from "@mpc/storage/sqlite";
import { anEnvironment, anOperation, aSpec, aWorkload } from "../../tests/fakes/documents.ts";
import { rejectsWith } from "../../tests/fakes/rejects.ts";
import { withFolder } from "../../tests/servers/with_folder.ts";

Deno.test("sqlite: a database of a newer version is rejected", () =>
  withFolder(async (folder) => {
    const path = join(folder, "mpc.db");
    await openSqliteStore({ path }).close();
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 999");
    database.close();
    const error = await rejectsWith(
      Promise.resolve().then(() => openSqliteStore({ path })),
      "FAILED_PRECONDITION",
      "STORE_TOO_NEW",
    );
    assert.match(error.message, /schema 999.*knows schema \d+/);
  }));

Deno.test("sqlite: documents of an older version get their missing fields", () =>
  withFolder(async (folder) => {
    const path = join(folder, "mpc.db");
    const old = openSqliteStore({ path });
    const input = { wanted: { spec: aSpec() }, previous: null };
    await old.environments.create(anEnvironment("dev"));
    await old.workloads.create(aWorkload("dev", "web"));
    await old.operations.create(anOperation("1", { kind: "workload.deploy", input }));
    await old.close();
    const database = new DatabaseSync(path);
    const parts = ["envFrom", "livenessCheck", "volumes", "ingress", "autoscaling"];
    const spec = [...parts, "disruptionBudget", "chart"];
    const remove = (table: string, path: string) =>
      database.exec(
        `UPDATE ${table} SET body = json_remove(body, ${spec.map((f) => `'${path}.${f}'`)})`,
      );
    remove("workloads", "$.spec");
    remove("operations", "$.input.wanted.spec");
    database.exec("UPDATE environments SET body = json_remove(body, '$.cluster')");
    database.exec("DROP TABLE installations; DROP TABLE claims");
    database.exec(
      "DROP TABLE openings; DROP TABLE leases; DROP TABLE tokens; DROP TABLE audit; DROP TABLE audit_marks",
    );
    database.exec("DROP TABLE event_sinks; DROP TABLE dead_letters");
    database.exec("DROP INDEX operations_engine; ALTER TABLE operations DROP COLUMN engine");
    database.exec("PRAGMA user_version = 2");
    database.close();
    const store = openSqliteStore({ path });
    assert.deepEqual(
      (await store.environments.get("environments/dev"))?.value,
      anEnvironment("dev"),
    );
    const workload = await store.workloads.get("environments/dev/workloads/web");
    assert.deepEqual(workload?.value, aWorkload("dev", "web"));
    assert.deepEqual((await store.operations.get("operations/1"))?.value.input, input);
    await store.close();
  }));
