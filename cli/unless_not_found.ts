import { Code, ConnectError } from "@connectrpc/connect";

/** What a call reads; undefined where there is no such resource. */
export async function unlessNotFound<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (ConnectError.from(error).code === Code.NotFound) return undefined;
    throw error;
  }
}
