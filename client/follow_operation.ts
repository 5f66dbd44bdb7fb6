import { equals } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Operation, OperationSchema, OperationService } from "@mpc/proto";
import type { Connection } from "./connect.ts";
import { Reconnect, type ReconnectOptions, untilReaderStops } from "./reconnect.ts";

/**
 * Yields an operation at each change until it has ended. Each state is yielded once, even if the
 * server restarts in between.
 * @param operation an operation as it was last seen, which is yielded first, or its name
 * @throws {ConnectError} NOT_FOUND; the last error if the server is unreachable for too long or the
 *   signal is aborted
 */
export const followOperation = (
  connection: Pick<Connection, "client">,
  operation: Operation | string,
  options: ReconnectOptions = {},
): AsyncGenerator<Operation, void> =>
  untilReaderStops(options.signal, (signal) => follow(connection, operation, options, signal));

async function* follow(
  connection: Pick<Connection, "client">,
  operation: Operation | string,
  options: ReconnectOptions,
  signal: AbortSignal,
): AsyncGenerator<Operation, void> {
  const client = connection.client(OperationService);
  const name = typeof operation === "string" ? operation : operation.name;
  let last = typeof operation === "string" ? undefined : operation;
  if (last) yield last;
  const reconnect = new Reconnect(options, last !== undefined);
  while (!last?.done) {
    let lost: unknown = new ConnectError("the watch ended before the operation", Code.Unavailable);
    try {
      for await (const seen of client.watchOperation({ name }, { signal })) {
        const isNews = !last || !equals(OperationSchema, last, seen);
        reconnect.received(isNews);
        if (!isNews) continue;
        last = seen;
        yield seen;
        if (seen.done) return;
      }
    } catch (error) {
      lost = error;
    }
    await reconnect.again(lost);
  }
}

/**
 * Waits until an operation has ended.
 * @returns the ended operation
 * @throws {ConnectError} like `followOperation`
 */
export async function waitForOperation(
  connection: Pick<Connection, "client">,
  operation: Operation | string,
  options: ReconnectOptions = {},
): Promise<Operation> {
  let last: Operation | undefined;
  for await (last of followOperation(connection, operation, options));
  return last!;
}
