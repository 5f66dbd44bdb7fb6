import {
  ApplicationFailure,
  DefaultFailureConverter,
  type PayloadConverter,
  type ProtoFailure,
} from "@temporalio/common";
import { PASS_FAILED } from "./workflow_messages.ts";

const plain = new DefaultFailureConverter();

/**
 * Puts messages and stack traces of failures into a payload, which the codec encrypts. The failure
 * of a periodic pass has no content instead: the schedule hands it to the next pass, which could not
 * begin with another key if it had to decrypt it.
 */
class EncodingFailureConverter extends DefaultFailureConverter {
  override errorToFailure(error: unknown, converter: PayloadConverter): ProtoFailure {
    if (!(error instanceof ApplicationFailure) || error.type !== PASS_FAILED) {
      return super.errorToFailure(error, converter);
    }
    const message = "the worker's log says why";
    const failure = ApplicationFailure.create({ message, type: PASS_FAILED });
    return { ...plain.errorToFailure(failure, converter), stackTrace: "" };
  }
}

export const failureConverter = new EncodingFailureConverter({ encodeCommonAttributes: true });
