import type { TLSSocket } from "node:tls";
import type { PeerCertificate } from "../calls/peer_certificate.ts";

/** Clients that are remembered for resumed sessions. */
const MAX_REMEMBERED = 10_000;

/** The certificate authority of clients. */
export class ClientTrust {
  /** In PEM. */
  readonly ca: string;
  /** Fingerprints of certificates that a full handshake has verified, the oldest first. */
  readonly #verified = new Set<string>();

  constructor(ca: string) {
    this.ca = ca;
  }

  /**
   * The certificate of a client whose handshake is complete.
   *
   * Deno's server (2.9) finishes the handshake with every certificate, and reports afterwards
   * whether it was verified. A resumed session always counts as verified there, even if the session
   * that it resumes was refused; here it counts only if a full handshake has verified it.
   * @returns null if the client has presented none
   * @throws {Error} if the certificate is not valid
   */
  verify(socket: TLSSocket, nowMs: number): PeerCertificate | null {
    const certificate = socket.getPeerX509Certificate();
    if (!certificate) return null;
    const fingerprint = certificate.fingerprint256;
    const verified = socket.isSessionReused() ? this.#verified.has(fingerprint) : socket.authorized;
    if (!verified) throw new Error("the client's certificate is not of --tls-client-ca");
    // Deno accepts the authority itself as a client.
    if (certificate.ca) throw new Error("the client's certificate is a certificate authority's");
    const notAfter = new Date(certificate.validTo);
    if (!(notAfter.getTime() > nowMs)) throw new Error("the client's certificate has expired");
    this.#remember(fingerprint);
    const { subject } = certificate.toLegacyObject();
    const commonName: unknown = subject?.CN;
    const organization: unknown = subject?.O;
    return {
      commonName: typeof commonName === "string" ? commonName : null,
      organizations: [organization].flat().filter((name) => typeof name === "string"),
      subjectAltNames: certificate.subjectAltName?.split(", ") ?? [],
      serialNumber: certificate.serialNumber,
      fingerprint,
      notAfter,
    };
  }

  #remember(fingerprint: string): void {
    this.#verified.delete(fingerprint);
    this.#verified.add(fingerprint);
    const [oldest] = this.#verified;
    if (this.#verified.size > MAX_REMEMBERED && oldest !== undefined) this.#verified.delete(oldest);
  }
}
