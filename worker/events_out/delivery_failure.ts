/** Why an attempt to deliver an event got no answer. The message has nothing that is secret. */
export class DeliveryFailure extends Error {
  override readonly name = "DeliveryFailure";
}
