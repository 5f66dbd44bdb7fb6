import { readFileSync } from "node:fs";
import { type ErrorReason, MpcError } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import { getLogger } from "@logtape/logtape";
import { systemClock } from "../system_clock.ts";
import {
  type Certificates,
  certificatesOf,
  type CertificateTexts,
  expiryOf,
} from "./certificates.ts";
import type { TlsSettings } from "./tls_flags.ts";

const log = getLogger(["mpc", "tls"]);

/** The interval of reading the files. */
const POLL_MS = 2_000;

/** How long before it expires the certificate is reported. */
const WARN_MS = 7 * 24 * 3_600_000;

/**
 * The certificates of a server, read again while it runs. New ones are used for new connections;
 * wrong ones are logged, and the old ones stay.
 */
export class CertificateFiles {
  readonly #settings: TlsSettings;
  readonly #clock: Pick<Clock, "now">;
  readonly #polling: ReturnType<typeof setInterval>;
  #certificates: Certificates;
  #expiry: Date;
  /** The texts that were read last. */
  #texts: CertificateTexts;
  /** Why they are not used; null if they are. */
  #problem: string | null = null;
  #logged = false;

  /** @throws {MpcError} FAILED_PRECONDITION `CERTIFICATE_UNUSABLE` */
  constructor(
    settings: TlsSettings,
    { clock = systemClock, pollMs = POLL_MS }: {
      readonly clock?: Pick<Clock, "now">;
      readonly pollMs?: number;
    } = {},
  ) {
    this.#settings = settings;
    this.#clock = clock;
    try {
      this.#texts = readTexts(settings);
      this.#certificates = certificatesOf(this.#texts);
    } catch (error) {
      throw unusable("CERTIFICATE_UNUSABLE", `Cannot serve TLS: ${messageOf(error)}`, error);
    }
    this.#expiry = expiryOf(this.#certificates);
    this.#polling = setInterval(() => this.check(), pollMs);
  }

  get #flag(): string {
    return `--${this.#settings.flagPrefix ?? ""}tls-cert`;
  }

  get current(): Certificates {
    return this.#certificates;
  }

  /** Reads the files, and uses them if they have changed and are right. */
  check(): void {
    try {
      const texts = readTexts(this.#settings);
      if (!isSame(texts, this.#texts)) this.#use(texts);
      this.#problem = null;
      this.#logged = false;
    } catch (error) {
      this.#report(messageOf(error));
    }
  }

  /**
   * @returns a warning if the certificate expires soon, or cannot be replaced
   * @throws {MpcError} FAILED_PRECONDITION `CERTIFICATE_EXPIRED`
   */
  assertReady(): Promise<string | undefined> {
    const leftMs = this.#expiry.getTime() - this.#clock.now();
    const at = this.#expiry.toISOString();
    if (leftMs <= 0) {
      const message = `Cannot serve TLS: the certificate of ${this.#flag} expired at ${at}`;
      return Promise.reject(unusable("CERTIFICATE_EXPIRED", message));
    }
    const warnings = [
      ...leftMs < WARN_MS ? [`the certificate of ${this.#flag} expires at ${at}`] : [],
      ...this.#problem === null ? [] : [`the new certificates cannot be used: ${this.#problem}`],
    ];
    return Promise.resolve(warnings.length > 0 ? warnings.join("; ") : undefined);
  }

  close(): void {
    clearInterval(this.#polling);
  }

  /** Logs a problem when it is seen again: the files are not replaced all at once. */
  #report(problem: string): void {
    if (problem !== this.#problem) this.#logged = false;
    else if (!this.#logged) {
      this.#logged = true;
      log.error("Cannot use the new certificates, so the old ones stay: {problem}", { problem });
    }
    this.#problem = problem;
  }

  #use(texts: CertificateTexts): void {
    this.#certificates = certificatesOf(texts, this.#certificates);
    this.#expiry = expiryOf(this.#certificates);
    this.#texts = texts;
    log.info("New certificates are in use; the server's expires at {at}", {
      at: this.#expiry.toISOString(),
    });
  }
}

function readTexts(settings: TlsSettings): CertificateTexts {
  const { certFile, keyFile, clientCaFile, flagPrefix = "" } = settings;
  const flag = `--${flagPrefix}tls`;
  return {
    cert: readText(`${flag}-cert`, certFile),
    key: readText(`${flag}-key`, keyFile),
    clientCa: clientCaFile === null ? null : readText(`${flag}-client-ca`, clientCaFile),
    flagPrefix,
  };
}

function readText(flag: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new Error(`${flag} '${path}' cannot be read: ${messageOf(cause)}`, { cause });
  }
}

const isSame = (one: CertificateTexts, other: CertificateTexts): boolean =>
  one.cert === other.cert && one.key === other.key && one.clientCa === other.clientCa;

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

function unusable(
  reason: Extract<ErrorReason, "CERTIFICATE_UNUSABLE" | "CERTIFICATE_EXPIRED">,
  message: string,
  cause?: unknown,
): MpcError {
  return new MpcError("FAILED_PRECONDITION", { reason, message, cause });
}
