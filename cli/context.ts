import type { DescService } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { connect as connectTo, type Connection } from "@mpc/client";
import type { CliConfig } from "./config/read_config.ts";
import type { Host } from "./host/mod.ts";
import type { Terminal } from "./host/terminal.ts";

/** What every command receives. */
export interface CommandContext {
  readonly config: CliConfig;
  readonly terminal: Terminal;
  readonly host: Host;
}

/** How long a server may be unreachable, for instance to restart, before a follower gives up. */
export const RECONNECT_MS = 120_000;

/** Connects to the server that the settings name; sends nothing yet. */
export const connect = ({ config }: Pick<CommandContext, "config">): Promise<Connection> =>
  connectTo(config);

/** Runs calls on a connection that is closed afterwards. */
export async function withConnection<T>(
  context: Pick<CommandContext, "config">,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await connect(context);
  try {
    return await use(connection);
  } finally {
    connection.close();
  }
}

/** Runs calls of one service on a connection that is closed afterwards. */
export const withClient = <Service extends DescService, T>(
  context: Pick<CommandContext, "config">,
  service: Service,
  use: (client: Client<Service>) => Promise<T>,
): Promise<T> => withConnection(context, (connection) => use(connection.client(service)));

/** Runs something that does not end by itself. Ctrl-C ends it, which is not a failure. */
export async function untilInterrupted(
  { host }: CommandContext,
  run: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const interrupted = new AbortController();
  const stopListening = host.onInterrupt(() => interrupted.abort());
  try {
    await run(interrupted.signal);
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
  } finally {
    stopListening();
  }
}
