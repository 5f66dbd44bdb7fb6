/** Names that end up in DNS (RFC 1123, as "Object Names and IDs" of Kubernetes has them). */

const LABEL = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?";
const DNS_LABEL = new RegExp(`^${LABEL}$`);
const DNS_SUBDOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);

/** Whether `text` is a DNS label of at most `maxLength` characters. */
export const isDnsLabel = (text: string, maxLength = 63): boolean =>
  text.length <= maxLength && DNS_LABEL.test(text);

/** Whether `text` is labels with dots between, at most 253 characters. */
export const isDnsSubdomain = (text: string): boolean =>
  text.length <= 253 && DNS_SUBDOMAIN.test(text);
