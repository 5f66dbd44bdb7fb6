/**
 * Image references: `[registry[:port]/]path[:tag][@digest]`, the grammar of the distribution
 * project ("Reference grammar", OCI distribution).
 */
const COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const DOMAIN = "[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]{1,5})?";
const REFERENCE = new RegExp(
  `^(?:${DOMAIN}/)?${COMPONENT}(?:/${COMPONENT})*(?::[\\w][\\w.-]{0,127})?(?:@sha256:[a-f0-9]{64})?$`,
);

const MAX_LENGTH = 255;

/** Whether `text` is an image reference of at most 255 characters. */
export const isImageReference = (text: string): boolean =>
  text.length <= MAX_LENGTH && REFERENCE.test(text);
