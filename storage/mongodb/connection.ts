import type { EventEmitter } from "node:events";
import type { MongoError } from "mongodb";
import { Connection as DriverConnection } from "mongodb/connection";

/** What is used here of the driver's class, which has no types of its own. */
interface Connection extends EventEmitter {
  /** Why the connection is closed; null while it is open. Set before `close` is emitted. */
  readonly error: MongoError | null;
  writeCommand(command: unknown, options: unknown): Promise<void>;
}

const Driver: new (...options: unknown[]) => Connection = DriverConnection;

/**
 * A connection whose commands fail when it is closed. In the driver (6.22.0, `writeCommand`), a
 * command that is written after the server has ended the connection either
 * - fails with the socket's own EPIPE, which is not a `MongoError`, so that neither the driver nor
 *   this store takes it for a network error; or
 * - waits forever for the socket's `drain` event, if the socket is destroyed and its `close` event
 *   is about to be emitted, or if it is destroyed while the command waits. A monitor that waits
 *   like this never checks its server again.
 *
 * Here both fail with the connection's `MongoNetworkError`, like commands that wait for a reply.
 */
class MongoConnection extends Driver {
  override async writeCommand(command: unknown, options: unknown): Promise<void> {
    const closed = Promise.withResolvers<never>();
    const onClose = () => closed.reject(this.error);
    this.once("close", onClose);
    try {
      // An error of the socket closes the connection before it reaches the driver's command.
      await Promise.race([super.writeCommand(command, options), closed.promise]);
    } finally {
      this.off("close", onClose);
    }
  }
}

/** The driver's option for the class of its connections; `MongoClientOptions` leaves it out. */
export const CONNECTION_OPTIONS = { connectionType: MongoConnection };
