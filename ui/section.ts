import { Code, ConnectError } from "@connectrpc/connect";
import { type CallFailure, readFailure } from "@mpc/client";

/** What a part of a page was made of, or why it could not be read. */
export type Loaded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: CallFailure };

/**
 * Reads for a part of a page, so that a failure leaves the rest of the page. A viewer without
 * credentials is sent to sign in, whatever the part.
 * @throws {ConnectError} UNAUTHENTICATED
 */
export async function load<T>(read: Promise<T>): Promise<Loaded<T>> {
  try {
    return { ok: true, value: await read };
  } catch (error) {
    if (!(error instanceof ConnectError) || error.code === Code.Unauthenticated) throw error;
    return { ok: false, failure: readFailure(error) };
  }
}
