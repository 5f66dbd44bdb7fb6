/** The most objects in one event. */
const MAX_LISTED = 20;

/** Objects for people, in the text of an event. */
export function listed(objects: readonly string[]): string {
  const more = objects.length - MAX_LISTED;
  return `${objects.slice(0, MAX_LISTED).join(", ")}${more > 0 ? `, and ${more} more` : ""}`;
}
