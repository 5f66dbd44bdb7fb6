import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generate } from "selfsigned";

/** A certificate and its key, in PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

type Attributes = Parameters<typeof generate>[0];

const KEYS = { keyType: "ec", algorithm: "sha256" } as const;

const HOUR_MS = 3_600_000;

/** A certificate authority of a test. */
export class TestAuthority {
  readonly #own: Pair;

  private constructor(own: Pair) {
    this.#own = own;
  }

  static async create(name = "test authority"): Promise<TestAuthority> {
    const pems = await generate([{ name: "commonName", value: name }], {
      ...KEYS,
      extensions: [
        { name: "basicConstraints", cA: true, critical: true },
        { name: "keyUsage", keyCertSign: true, critical: true },
      ],
    });
    return new TestAuthority({ cert: pems.cert, key: pems.private });
  }

  /** Its own certificate, in PEM. */
  get cert(): string {
    return this.#own.cert;
  }

  /** Its certificate and key, as a client that has stolen them would present them. */
  get pair(): Pair {
    return this.#own;
  }

  /**
   * Issues a certificate for loopback names and addresses.
   * @param validMs negative for an expired one
   * @param address false for names alone
   */
  async issue(
    commonName: string,
    { validMs = HOUR_MS, organization = "test", purpose, address = true }: {
      readonly validMs?: number;
      readonly organization?: string;
      readonly address?: boolean;
      readonly purpose?: "serverAuth" | "clientAuth";
    } = {},
  ): Promise<Pair> {
    const subject: Attributes = [
      { name: "commonName", value: commonName },
      { name: "organizationName", value: organization },
    ];
    const until = Date.now() + validMs;
    const pems = await generate(subject, {
      ...KEYS,
      ca: { key: this.#own.key, cert: this.#own.cert },
      notBeforeDate: new Date(Math.min(Date.now(), until) - HOUR_MS),
      notAfterDate: new Date(until),
      extensions: [
        {
          name: "subjectAltName",
          altNames: [
            { type: 2, value: "localhost" },
            ...(address ? [{ type: 7 as const, ip: "127.0.0.1" }] : []),
          ],
        },
        ...(purpose ? [{ name: "extKeyUsage" as const, [purpose]: true }] : []),
      ],
    });
    return { cert: pems.cert, key: pems.private };
  }
}

/** Writes a pair into a folder. @returns the paths, as `openssl` and the settings take them */
export async function writePair(
  folder: string,
  name: string,
  { cert, key }: Pair,
): Promise<{ readonly certFile: string; readonly keyFile: string }> {
  const files = { certFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) };
  await writeFile(files.certFile, cert);
  await writeFile(files.keyFile, key, { mode: 0o600 });
  return files;
}
