import type { DescService } from "@bufbuild/protobuf";
import type { Client, ConnectError } from "@connectrpc/connect";
import { connect as connectTo, type Connection, readFailure } from "@mpc/client";
import type { CliConfig } from "./config/read_config.ts";
import type { Host } from "./host/mod.ts";
import type { Terminal } from "./host/terminal.ts";

/** What every command receives. */
export interface CommandContext {
  readonly config: CliConfig;
  readonly terminal: Terminal;
  readonly host: Host;
}

/** Reports something that is neither a result nor an error. */
export type Note = (text: string) => void;

/**
 * Connects to the server that the settings name; sends nothing yet.
 * @param note is told that the server is lost; with it, calls are repeated while it restarts
 */
export const connect = (
  { config }: Pick<CommandContext, "config">,
  note?: Note,
): Promise<Connection> =>
  connectTo(
    config,
    note && {
      giveUpAfterMs: config.reconnectMs,
      onLost: (error) => note(lostText(error)),
    },
  );

/** Says why something is tried again. */
export function lostText(error: ConnectError): string {
  const { origin, message } = readFailure(error);
  return `${origin === "api" ? message : "The connection to the server is lost"}; trying again`;
}

/** Runs calls on a connection that is closed afterwards, and repeats them while the server restarts. */
export async function withConnection<T>(
  context: Pick<CommandContext, "config" | "terminal">,
  use: (connection: Connection) => Promise<T>,
  note: Note = (text) => context.terminal.err(`${text}\n`),
): Promise<T> {
  const connection = await connect(context, note);
  try {
    return await use(connection);
  } finally {
    connection.close();
  }
}

/** Runs calls of one service on a connection that is closed afterwards. */
export const withClient = <Service extends DescService, T>(
  context: Pick<CommandContext, "config" | "terminal">,
  service: Service,
  use: (client: Client<Service>) => Promise<T>,
): Promise<T> => withConnection(context, (connection) => use(connection.client(service)));
