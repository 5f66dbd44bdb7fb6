import { type FileHandle, open, rename, stat } from "node:fs/promises";
import process from "node:process";
import { getLogger } from "@logtape/logtape";
import { type AuditRecord, isMpcError } from "@mpc/domain";
import type { AuditSink } from "@mpc/services";

const log = getLogger(["mpc", "audit"]);

/** How many full files are kept: `FILE.1` is the newest of them. */
const FULL_FILES = 5;

/** How many records wait for a file that cannot be written; the oldest are dropped first. */
const MAX_WAITING = 10_000;

/** Where records are written to, besides the store. */
export interface AuditLogSettings {
  /** A path, or `stdout`. */
  readonly auditLog: string;
  /** The size of a file at which the next one begins. */
  readonly auditLogMaxBytes: number;
}

/**
 * Writes each record as a line of JSON, as it is in the store, to standard output or to a file that
 * only its owner may read. A file that cannot be written is reported, and its records are written when
 * it can be. The store has the records whatever happens here.
 */
export function openAuditLog(
  { auditLog, auditLogMaxBytes }: AuditLogSettings,
): AuditSink & AsyncDisposable {
  return auditLog === "stdout" ? new StandardOutput() : new AuditFile(auditLog, auditLogMaxBytes);
}

/** Reports failures, the first of several in a row. */
class Failures {
  readonly #where: string;
  #failing = false;

  constructor(where: string) {
    this.#where = where;
  }

  failed(error: unknown): void {
    if (!this.#failing) {
      log.error("Cannot write the audit log {where}: {error}", {
        where: this.#where,
        error: isMpcError(error) || !(error instanceof Error) ? error : error.message,
      });
    }
    this.#failing = true;
  }

  succeeded(): void {
    if (this.#failing) log.warn("The audit log {where} is written again", { where: this.#where });
    this.#failing = false;
  }
}

class StandardOutput implements AuditSink, AsyncDisposable {
  readonly #failures = new Failures("stdout");
  readonly #onError = (error: Error) => this.#failures.failed(error);

  constructor() {
    // Without a listener, a reader that has gone would end the process.
    process.stdout.on("error", this.#onError);
  }

  write(record: AuditRecord): void {
    process.stdout.write(`${JSON.stringify(record)}\n`, (error) => {
      if (error) this.#failures.failed(error);
      else this.#failures.succeeded();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    process.stdout.off("error", this.#onError);
    return Promise.resolve();
  }
}

class AuditFile implements AuditSink, AsyncDisposable {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #failures: Failures;
  #waiting: string[] = [];
  /** How many of the lines that are being written were dropped meanwhile. */
  #dropped = 0;
  #writing: Promise<void> | undefined;

  constructor(path: string, maxBytes: number) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#failures = new Failures(path);
  }

  write(record: AuditRecord): void {
    this.#waiting.push(`${JSON.stringify(record)}\n`);
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift();
      this.#dropped++;
    }
    this.#writing ??= this.#drain();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
  }

  /** Writes what waits; leaves it for the next record if that fails. */
  async #drain(): Promise<void> {
    let file: FileHandle | undefined;
    try {
      while (this.#waiting.length > 0) {
        file ??= await open(this.#path, "a", 0o600);
        await file.chmod(0o600);
        const { size } = await file.stat();
        this.#dropped = 0;
        const lines = this.#linesThatFit(size);
        if (lines.length > 0) {
          await file.appendFile(lines.join(""));
          this.#waiting.splice(0, Math.max(0, lines.length - this.#dropped));
          this.#dropped = 0;
          continue;
        }
        await file.close();
        file = undefined;
        await this.#rotate();
      }
      this.#failures.succeeded();
    } catch (error) {
      this.#failures.failed(error);
    } finally {
      await file?.close();
      this.#writing = undefined;
    }
  }

  /** The next lines for a file of this size; an empty file takes at least one. */
  #linesThatFit(size: number): readonly string[] {
    let [count, bytes] = [0, size];
    for (const line of this.#waiting) {
      bytes += new TextEncoder().encode(line).length;
      if (bytes > this.#maxBytes && (size > 0 || count > 0)) break;
      count++;
    }
    return this.#waiting.slice(0, count);
  }

  async #rotate(): Promise<void> {
    for (let number = FULL_FILES - 1; number >= 0; number--) {
      const from = number === 0 ? this.#path : `${this.#path}.${number}`;
      if (await exists(from)) await rename(from, `${this.#path}.${number + 1}`);
    }
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}
