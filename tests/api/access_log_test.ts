/** The content of the access log, at both doors. */
import assert from "node:assert/strict";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { testAtAllDoors } from "./doors.ts";

testAtAllDoors("the access log names method, outcome, principal and address", async (clients) => {
  const lines: LogRecord[] = [];
  await configure({
    sinks: { lines: (record) => lines.push(record) },
    loggers: [
      { category: ["mpc", "access"], sinks: ["lines"], lowestLevel: "debug" },
      { category: ["logtape", "meta"], sinks: [] },
    ],
  });
  try {
    await assert.rejects(clients.environments.getEnvironment({ name: "environments/none" }));
    await clients.environments.listEnvironments({});
  } finally {
    await reset();
  }
  const said = lines.map(({ properties: { method, code, principal, source } }) =>
    `${method} ${code} ${principal} ${source}`
  );
  assert.deepEqual(said, [
    "mpc.v1.EnvironmentService/GetEnvironment NotFound local 127.0.0.1",
    "mpc.v1.EnvironmentService/ListEnvironments OK local 127.0.0.1",
  ]);
});
