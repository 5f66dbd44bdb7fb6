/// <reference lib="dom" />
/** Changes one element into another, touching only what differs: focus, scroll and selection stay. */

/** What the viewer has changed, which new content does not undo. */
const OWN: ReadonlySet<string> = new Set(["open"]);

export function morph(from: Element, to: Element): void {
  if (from.isEqualNode(to) || from.hasAttribute("data-keep")) return;
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !OWN.has(name)) from.removeAttribute(name);
  }
  for (const { name, value } of [...to.attributes]) {
    if (from.getAttribute(name) !== value && !OWN.has(name)) from.setAttribute(name, value);
  }
  const byId = new Map<string, Element>();
  for (const child of from.children) if (child.id) byId.set(child.id, child);
  let at = from.firstChild;
  for (const next of [...to.childNodes]) {
    const known = next instanceof Element && next.id ? byId.get(next.id) : undefined;
    if (known && known !== at) from.insertBefore(known, at);
    if (known) at = known;
    if (at && isAlike(at, next)) {
      const then: ChildNode | null = at.nextSibling;
      if (at instanceof Element && next instanceof Element) morph(at, next);
      else if (at.nodeValue !== next.nodeValue) at.nodeValue = next.nodeValue;
      at = then;
    } else {
      from.insertBefore(next, at);
    }
  }
  while (at) {
    const then: ChildNode | null = at.nextSibling;
    at.remove();
    at = then;
  }
}

function isAlike(a: Node, b: Node): boolean {
  if (!(a instanceof Element && b instanceof Element)) return a.nodeType === b.nodeType;
  return a.tagName === b.tagName && a.id === b.id;
}
