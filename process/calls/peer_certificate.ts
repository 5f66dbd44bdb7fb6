import { createContextKey } from "@connectrpc/connect";

/** A client certificate that the server's `--tls-client-ca` has issued, as verified by TLS. */
export interface PeerCertificate {
  /** Null if the subject has no common name, or several. */
  readonly commonName: string | null;
  readonly organizations: readonly string[];
  /** Each with its kind, for instance `DNS:localhost` or `URI:spiffe://example.com/ci`. */
  readonly subjectAltNames: readonly string[];
  /** In hexadecimal digits. */
  readonly serialNumber: string;
  /** The SHA-256 digest in hexadecimal digits, separated by colons. */
  readonly fingerprint: string;
  /** The connection may live longer than the certificate is valid. */
  readonly notAfter: Date;
}

/** The verified certificate of a call's client; null if it has presented none. */
export const PEER_CERTIFICATE = createContextKey<PeerCertificate | null>(null, {
  description: "verified client certificate",
});
