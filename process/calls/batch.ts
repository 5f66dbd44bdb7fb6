import type { DescService } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";

/** Several messages of a stream. A server writes them at once if its reader keeps up. */
export class Batch<Message> {
  readonly messages: readonly Message[];
  /** How many of the messages were written; the rest are lost when the stream is cut off. */
  written = 0;

  constructor(messages: readonly Message[]) {
    this.messages = messages;
  }
}

/** An implementation of a service whose streams may yield batches besides single messages. */
export type Implementation<Service extends DescService> = {
  [Name in keyof ServiceImpl<Service>]: ServiceImpl<Service>[Name] extends
    (request: infer Request, context: infer Context) => AsyncIterable<infer Message>
    ? (request: Request, context: Context) => AsyncIterable<Message | Batch<Message>>
    : ServiceImpl<Service>[Name];
};
