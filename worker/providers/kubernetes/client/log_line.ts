import type { PodLogLine } from "./kube_client.ts";

/** Reads `2030-01-01T00:00:00.123456789Z text`; undefined for what is no such line. */
export function parseLogLine(line: string): PodLogLine | undefined {
  const space = line.indexOf(" ");
  const stamp = space === -1 ? line : line.slice(0, space);
  const time = Date.parse(stamp);
  if (Number.isNaN(time)) return undefined;
  return { time, text: space === -1 ? "" : line.slice(space + 1) };
}
