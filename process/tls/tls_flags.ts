import type { Command } from "@commander-js/extra-typings";
import { z } from "zod";

/** The files of a server's certificates. */
export interface TlsSettings {
  readonly certFile: string;
  readonly keyFile: string;
  /** Null if clients are not asked for certificates. */
  readonly clientCaFile: string | null;
  /** What precedes the names of the flags in messages, for instance `internal-`. */
  readonly flagPrefix?: string;
}

const path = z.string().min(1, "must not be empty").optional();

/** The flags about TLS, for {@linkcode withTls}. */
export const TLS_FLAGS = { tlsCert: path, tlsKey: path, tlsClientCa: path } as const;

type TlsFlags = z.output<z.ZodObject<typeof TLS_FLAGS>>;

/** Adds the flags about TLS. */
export function withTls(command: Command<[]>): Command<[]> {
  return command
    .option("--tls-cert <file>", "serve TLS with this certificate and its chain, in PEM")
    .option("--tls-key <file>", "the certificate's private key, in PEM")
    .option("--tls-client-ca <file>", "verify certificates of clients by this authority, in PEM");
}

/** What is wrong with the flags about TLS; undefined if nothing is. */
export function tlsIssue(
  { tlsCert, tlsKey, tlsClientCa }: TlsFlags,
): { readonly path: (keyof TlsFlags)[]; readonly message: string } | undefined {
  if (!tlsCert !== !tlsKey) {
    return { path: ["tlsCert"], message: "and --tls-key must be given together" };
  }
  if (tlsClientCa && !tlsCert) {
    return { path: ["tlsClientCa"], message: "needs --tls-cert and --tls-key" };
  }
  return undefined;
}

/** The TLS settings of parsed flags; null to serve without TLS. */
export function tlsOf({ tlsCert, tlsKey, tlsClientCa }: TlsFlags): TlsSettings | null {
  if (tlsCert === undefined || tlsKey === undefined) return null;
  return { certFile: tlsCert, keyFile: tlsKey, clientCaFile: tlsClientCa ?? null };
}
