import { DefaultFailureConverter } from "@temporalio/common";

/** Puts messages and stack traces of failures into a payload, which the codec encrypts. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
