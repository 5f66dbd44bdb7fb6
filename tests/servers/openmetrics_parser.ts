/** Prometheus' own Python library, whose parser of OpenMetrics is strict. */
import { existsSync } from "node:fs";
import envPaths from "env-paths";
import { runCommand } from "./run_command.ts";

const VERSION = "0.23.1";

const PROGRAM = `
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
print(json.dumps([
  {"name": family.name, "type": family.type, "samples": [
    {"name": s.name, "labels": s.labels, "value": s.value,
     "exemplar": s.exemplar and {"labels": s.exemplar.labels, "value": s.exemplar.value}}
    for s in family.samples
  ]}
  for family in text_string_to_metric_families(sys.stdin.read())
]))
`;

export interface MetricFamily {
  readonly name: string;
  readonly type: string;
  readonly samples: readonly {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
    readonly exemplar: {
      readonly labels: Readonly<Record<string, string>>;
      readonly value: number;
    } | null;
  }[];
}

/**
 * Parses a page in OpenMetrics.
 * @throws {Error} with the parser's own words if it is not valid
 */
export async function parseOpenMetrics(page: string): Promise<readonly MetricFamily[]> {
  const { code, out, err } = await runCommand([await python(), "-c", PROGRAM], { stdin: page });
  if (code !== 0) throw new Error(`Cannot parse the page: ${err}`);
  return JSON.parse(out);
}

/** A Python that has the library, which pip installs in the user's cache directory. */
async function python(): Promise<string> {
  const folder = `${envPaths("mpc", { suffix: "" }).cache}/prometheus-client-${VERSION}`;
  const program = `${folder}/bin/python`;
  if (existsSync(`${folder}/ready`)) return program;
  for (
    const command of [
      ["python3", "-m", "venv", folder],
      [`${folder}/bin/pip`, "install", "--quiet", `prometheus-client==${VERSION}`],
      ["touch", `${folder}/ready`],
    ]
  ) {
    const { code, err } = await runCommand(command);
    if (code !== 0) throw new Error(`Cannot install the parser of OpenMetrics: ${err}`);
  }
  return program;
}
