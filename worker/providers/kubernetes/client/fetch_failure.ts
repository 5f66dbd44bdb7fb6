/** Why a request got no response. */
export interface FetchFailure {
  /** The innermost cause, without the request. */
  readonly detail: string;
  /** Whether the request was certainly not sent. */
  readonly isUnsent: boolean;
  /** Whether the server's certificate is not trusted. */
  readonly isUntrusted: boolean;
}

/**
 * Reads the error of Deno's `fetch`, which has no codes: its causes are texts of the libraries below
 * it. hyper names the part that failed, `client error (Connect)` for a connection that was never made
 * (hyper-util, `client/legacy/client.rs`, `ErrorKind`); rustls says "invalid peer certificate"
 * (`rustls::Error::InvalidCertificate`).
 */
export function readFetchFailure(error: unknown): FetchFailure {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  const message = inner instanceof Error ? inner.message : String(inner);
  return {
    // The text begins with the request's address.
    detail: message.replace(/^error sending request [^\n]*?\)(: )?/, "")
      .replace(/^client error \(\w+\): /, ""),
    isUnsent: /client error \(Connect\)/.test(message),
    isUntrusted: /certificate/i.test(message),
  };
}
