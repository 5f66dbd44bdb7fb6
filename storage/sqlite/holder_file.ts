import process from "node:process";
import { readFileSync, writeFileSync } from "node:fs";

/** Who has opened a database last. */
export interface Holder {
  readonly pid: number;
  readonly shared: boolean;
}

/** Notes beside a database who holds it; only for messages, the locks are the system's. */
export function writeHolder(path: string, shared: boolean): void {
  writeFileSync(holderPath(path), `${process.pid}${shared ? " shared" : ""}\n`);
}

/** Reads who holds a database; undefined where that is not known. */
export function holderOf(path: string): Holder | undefined {
  try {
    const match = /^(\d+)( shared)?\n/.exec(readFileSync(holderPath(path), "utf8"));
    return match ? { pid: Number(match[1]), shared: match[2] !== undefined } : undefined;
  } catch {
    // Who it is only helps the message along.
    return undefined;
  }
}

const holderPath = (path: string): string => `${path}.pid`;
