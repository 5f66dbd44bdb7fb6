/** A real Prometheus, and promtool. */
import { readFile, writeFile } from "node:fs/promises";
import { stringify } from "yaml";
import { z } from "zod";
import { goTool } from "./go_tool.ts";
import { type Result, runCommand } from "./run_command.ts";
import { startServer } from "./server_process.ts";

/** What one job scrapes. */
export interface ScrapeJob {
  readonly job_name: string;
  readonly targets: readonly string[];
  /** A file with a bearer token. */
  readonly tokenFile?: string;
}

const ALERTS = z.object({
  data: z.object({
    alerts: z.array(z.object({ state: z.string(), labels: z.record(z.string(), z.string()) })),
  }),
});

const SAMPLES = z.object({
  data: z.object({
    result: z.array(z.object({
      metric: z.record(z.string(), z.string()),
      value: z.tuple([z.number(), z.string()]),
    })),
  }),
});

/** The value of a series. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A running Prometheus. */
export interface Prometheus extends AsyncDisposable {
  /** The labels of alerts that fire now. */
  firing(): Promise<readonly Readonly<Record<string, string>>[]>;
  /** The value of each series of an expression now. */
  query(expr: string): Promise<readonly Sample[]>;
}

/**
 * Starts Prometheus on a free port of loopback, with its data in a folder.
 * @param options.intervalMs how often it scrapes and evaluates
 * @param options.rules paths of files of rules
 */
export async function startPrometheus(
  folder: string,
  { intervalMs, jobs, rules }: {
    readonly intervalMs: number;
    readonly jobs: readonly ScrapeJob[];
    readonly rules: readonly string[];
  },
): Promise<Prometheus> {
  const interval = `${intervalMs}ms`;
  const config = `${folder}/prometheus.yaml`;
  await writeFile(
    config,
    stringify({
      global: {
        scrape_interval: interval,
        scrape_timeout: interval,
        evaluation_interval: interval,
      },
      rule_files: rules,
      scrape_configs: jobs.map(({ job_name, targets, tokenFile }) => ({
        job_name,
        static_configs: [{ targets }],
        ...(tokenFile && { authorization: { credentials_file: tokenFile } }),
      })),
    }),
  );
  const server = startServer({
    name: "prometheus",
    path: await goTool("prometheus"),
    args: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${folder}/tsdb`,
      "--web.listen-address=127.0.0.1:0",
    ],
    folder,
  });
  let origin = "";
  const get = async (path: string) => {
    const response = await fetch(`${origin}${path}`);
    if (!response.ok) throw new Error(`Prometheus: ${path}: ${await response.text()}`);
    return await response.json();
  };
  try {
    await server.untilReady(async () => {
      const [, address] = /msg="Listening on" component=web address=(\S+)/
        .exec(await readFile(`${folder}/prometheus.log`, "utf8")) ?? [];
      if (!address) return false;
      origin = `http://${address}`;
      const response = await fetch(`${origin}/-/ready`);
      await response.body?.cancel();
      return response.ok;
    });
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    async firing() {
      const { data } = ALERTS.parse(await get("/api/v1/alerts"));
      return data.alerts.filter(({ state }) => state === "firing").map(({ labels }) => labels);
    },
    async query(expr) {
      const { data } = SAMPLES.parse(await get(`/api/v1/query?query=${encodeURIComponent(expr)}`));
      return data.result.map(({ metric, value: [, text] }) => ({
        labels: metric,
        value: Number(text),
      }));
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

/** Runs promtool. */
export async function promtool(...args: readonly string[]): Promise<Result> {
  return await runCommand([await goTool("promtool"), ...args]);
}
