/** The content of the access log, at both doors. */
import assert from "node:assert/strict";
import type { LogRecord } from "@logtape/logtape";
import { resetLogging, setLogging } from "@mpc/process";
import { testAtAllDoors } from "./doors.ts";

testAtAllDoors("the access log names method, outcome, principal and address", async (clients) => {
  const lines: LogRecord[] = [];
  setLogging({ base: "off", categories: { rpc: "info" } }, (record) => lines.push(record));
  try {
    await assert.rejects(clients.environments.getEnvironment({ name: "environments/none" }));
    await clients.environments.listEnvironments({});
  } finally {
    resetLogging();
  }
  const said = lines.map(({ properties: { method, code, principal, source } }) =>
    `${method} ${code} ${principal} ${source}`
  );
  assert.deepEqual(said, [
    "mpc.v1.EnvironmentService/GetEnvironment NOT_FOUND local 127.0.0.1",
    "mpc.v1.EnvironmentService/ListEnvironments OK local 127.0.0.1",
  ]);
});
