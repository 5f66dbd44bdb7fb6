import { equals } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Operation, OperationSchema, OperationService } from "@mpc/proto";
import type { Connection } from "./connect.ts";
import { Reconnect, type ReconnectOptions } from "./reconnect.ts";

/**
 * Yields an operation at each change until it has ended, each state once, also when the server
 * restarts in between.
 * @param operation an operation as it was last seen, which is yielded first, or its name
 * @throws {ConnectError} NOT_FOUND; the last error where the server is away for too long or the
 *   signal is aborted
 */
export async function* followOperation(
  connection: Pick<Connection, "client">,
  operation: Operation | string,
  options: ReconnectOptions = {},
): AsyncGenerator<Operation, void> {
  const client = connection.client(OperationService);
  const name = typeof operation === "string" ? operation : operation.name;
  let last = typeof operation === "string" ? undefined : operation;
  if (last) yield last;
  const reconnect = new Reconnect(options, last !== undefined);
  while (!last?.done) {
    let lost: unknown = new ConnectError("the watch ended before the operation", Code.Unavailable);
    try {
      for await (const seen of client.watchOperation({ name }, callOptions(options))) {
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
 * @returns the operation as it ended
 * @throws {ConnectError} as `followOperation` does
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

const callOptions = ({ signal }: ReconnectOptions) => signal ? { signal } : {};
