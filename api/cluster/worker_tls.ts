import { readFile } from "node:fs/promises";
import { MpcError } from "@mpc/domain";
import { getLogger } from "@logtape/logtape";

const log = getLogger(["mpc", "tls"]);

/** The files of what the API presents to workers and trusts, in PEM. */
export interface WorkerTlsSettings {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** The interval of reading the files. */
const POLL_MS = 2_000;

interface Texts {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * Calls workers by TLS with a certificate of its own. The files are read again while the process
 * runs; wrong ones are logged, and the old ones stay.
 */
export class WorkerTls {
  readonly #settings: WorkerTlsSettings;
  readonly #polling: ReturnType<typeof setInterval>;
  #texts: Texts;
  #client: Deno.HttpClient;
  /** The client before, which running calls may still use. */
  #former: Deno.HttpClient | undefined;
  #checking: Promise<void> = Promise.resolve();
  /** Why the files as they are now are not used; null if they are. */
  #problem: string | null = null;

  private constructor(settings: WorkerTlsSettings, texts: Texts, pollMs: number) {
    this.#settings = settings;
    this.#texts = texts;
    this.#client = clientOf(texts);
    this.#polling = setInterval(() => {
      this.#checking = this.#checking.then(() => this.check());
    }, pollMs);
  }

  /** @throws {MpcError} FAILED_PRECONDITION `CERTIFICATE_UNUSABLE` */
  static async open(settings: WorkerTlsSettings, pollMs = POLL_MS): Promise<WorkerTls> {
    try {
      return new WorkerTls(settings, await readTexts(settings), pollMs);
    } catch (cause) {
      throw new MpcError("FAILED_PRECONDITION", {
        reason: "CERTIFICATE_UNUSABLE",
        message: `Cannot call workers by TLS: ${messageOf(cause)}`,
        cause,
      });
    }
  }

  /** `fetch` with the certificates as they are now. */
  readonly fetch: typeof globalThis.fetch = (input, init) =>
    globalThis.fetch(input, { ...init, client: this.#client });

  /** Reads the files, and uses them if they have changed and are right. */
  async check(): Promise<void> {
    try {
      const texts = await readTexts(this.#settings);
      const { ca, cert, key } = this.#texts;
      if (texts.ca !== ca || texts.cert !== cert || texts.key !== key) {
        const client = clientOf(texts);
        this.#former?.close();
        this.#former = this.#client;
        this.#client = client;
        this.#texts = texts;
        log.info("New certificates are in use for calls to workers");
      }
      this.#problem = null;
    } catch (error) {
      const problem = messageOf(error);
      if (problem !== this.#problem) {
        log.error("Cannot use the new certificates for calls to workers: {problem}", { problem });
      }
      this.#problem = problem;
    }
  }

  /** @returns a warning if the files as they are now cannot be used */
  assertReady(): Promise<string | undefined> {
    return Promise.resolve(
      this.#problem === null
        ? undefined
        : `the new certificates for calls to workers cannot be used: ${this.#problem}`,
    );
  }

  async close(): Promise<void> {
    clearInterval(this.#polling);
    await this.#checking;
    this.#former?.close();
    this.#client.close();
  }
}

async function readTexts({ caFile, certFile, keyFile }: WorkerTlsSettings): Promise<Texts> {
  // One after the other, so that none is still being read when another has failed.
  return {
    ca: await readText("--worker-tls-ca", caFile),
    cert: await readText("--worker-tls-cert", certFile),
    key: await readText("--worker-tls-key", keyFile),
  };
}

async function readText(flag: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new Error(`${flag} '${path}' cannot be read: ${messageOf(cause)}`, { cause });
  }
}

const clientOf = ({ ca, cert, key }: Texts): Deno.HttpClient =>
  Deno.createHttpClient({ caCerts: [ca], cert, key });

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
