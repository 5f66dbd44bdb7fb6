/** The page of figures in OpenMetrics, read by a parser that is not ours. */
import assert from "node:assert/strict";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { parseOpenMetrics } from "../servers/openmetrics_parser.ts";
import { startPlatform } from "../servers/platform_process.ts";

/** What Prometheus 3 sends. */
const ACCEPT = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3";
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

Deno.test(
  "a scraper that accepts OpenMetrics gets traces as exemplars",
  NO_SANITIZERS,
  async () => {
    const platform = await startPlatform(["--ephemeral", "--simulated-delays=none"]);
    try {
      const call = async (name: string, flags: string) => {
        const response = await fetch(
          new URL("/mpc.v1.EnvironmentService/GetEnvironment", platform.web),
          {
            method: "POST",
            headers: {
              "content-type": "application/json",
              traceparent: `00-${TRACE}-00f067aa0ba902b7-${flags}`,
            },
            body: JSON.stringify({ name }),
          },
        );
        await response.body?.cancel();
      };
      await call("environments/missing", "01");
      await call("not-a-name", "00");
      const scrape = async (accept: string) => {
        const response = await fetch(new URL("/metrics", platform.web), { headers: { accept } });
        return { type: response.headers.get("content-type"), text: await response.text() };
      };
      const { type, text } = await scrape(ACCEPT);
      assert.equal(type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
      const families = await parseOpenMetrics(text);
      const rpcs = families.find(({ name }) => name === "mpc_rpc_duration_seconds");
      const exemplars = rpcs?.samples.filter(({ exemplar }) => exemplar !== null) ?? [];
      assert.deepEqual(
        exemplars.map(({ name, labels, exemplar }) => [name, labels["code"], exemplar?.labels]),
        [["mpc_rpc_duration_seconds_bucket", "NOT_FOUND", { trace_id: TRACE }]],
        "a trace that nobody records is no exemplar",
      );
      const counter = families.find(({ name }) => name === "process_cpu_seconds");
      assert.equal(counter?.samples[0]?.name, "process_cpu_seconds_total");

      // The other format is as before, and each has the metrics of the other.
      const plain = await scrape("text/plain");
      assert.equal(plain.type, "text/plain; version=0.0.4; charset=utf-8");
      assert.doesNotMatch(plain.text, /trace_id/);
      assert.match(plain.text, /^process_cpu_seconds_total \d/m);
      const names = [...plain.text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!);
      assert.deepEqual(
        names.map((name) => name.replace(/_total$/, "")),
        families.map(({ name }) => name),
      );
    } finally {
      await platform.stop();
    }
  },
);
