import { createPrivateKey, X509Certificate } from "node:crypto";
import { ClientTrust } from "./client_trust.ts";

/** What a server presents and trusts in TLS. */
export interface Certificates {
  /** The server's certificate and its chain, in PEM. */
  readonly cert: string;
  /** The private key, in PEM. */
  readonly key: string;
  /** Null if no certificates of clients are requested. */
  readonly clients: ClientTrust | null;
}

/** The texts of the files. */
export interface CertificateTexts {
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string | null;
  /** As in the settings. */
  readonly flagPrefix?: string | undefined;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * Checks the texts of certificate files.
 * @param previous keeps its memory of clients if their certificate authority is the same
 * @throws {Error} whose message says which file is wrong, without anything of its content
 */
export function certificatesOf(
  { cert, key, clientCa, flagPrefix = "" }: CertificateTexts,
  previous?: Certificates,
): Certificates {
  const flag = `--${flagPrefix}tls`;
  const [own] = certificatesIn(cert, `${flag}-cert`);
  if (!matches(own!, key, `${flag}-key`)) {
    throw new Error(`the key of ${flag}-key does not belong to ${flag}-cert`);
  }
  const clients = clientCa === null ? null : trust(clientCa, `${flag}-client-ca`, previous);
  return { cert, key, clients };
}

/** When the server's certificate expires. */
export const expiryOf = ({ cert }: Pick<Certificates, "cert">): Date =>
  new Date(new X509Certificate(cert).validTo);

function trust(ca: string, flag: string, previous: Certificates | undefined): ClientTrust {
  if (previous?.clients?.ca === ca) return previous.clients;
  // Deno lets anybody present a certificate of version 1, which is no authority, without its key.
  if (certificatesIn(ca, flag).every((certificate) => certificate.ca)) {
    return new ClientTrust(ca);
  }
  throw new Error(`${flag} has a certificate that is not a certificate authority's`);
}

function certificatesIn(text: string, flag: string): readonly X509Certificate[] {
  const blocks = text.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) throw new Error(`${flag} has no certificate in PEM`);
  return blocks.map((block) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw new Error(`${flag} has a certificate that cannot be read`, { cause });
    }
  });
}

function matches(certificate: X509Certificate, key: string, flag: string): boolean {
  let privateKey: ReturnType<typeof createPrivateKey>;
  try {
    privateKey = createPrivateKey(key);
  } catch (cause) {
    throw new Error(`${flag} has no private key in PEM, or one with a passphrase`, { cause });
  }
  return certificate.checkPrivateKey(privateKey);
}
