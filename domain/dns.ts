/** Names that become DNS names (RFC 1123; Kubernetes, "Object Names and IDs"). */

const LABEL = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?";
const DNS_LABEL = new RegExp(`^${LABEL}$`);
const DNS_SUBDOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);

/** Whether `text` is a DNS label of at most `maxLength` characters. */
export const isDnsLabel = (text: string, maxLength = 63): boolean =>
  text.length <= maxLength && DNS_LABEL.test(text);

/** Whether `text` consists of labels separated by dots, at most 253 characters in total. */
export const isDnsSubdomain = (text: string): boolean =>
  text.length <= 253 && DNS_SUBDOMAIN.test(text);
