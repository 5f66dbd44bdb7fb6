/** Each icon once a page; `Icon` refers to it. Drawn on a grid of 16, with strokes of 1.5. */
const SHAPES = {
  ok: (
    <>
      <circle cx="8" cy="8" r="6.25" />
      <path d="m5.3 8.2 1.9 1.9 3.6-4" />
    </>
  ),
  busy: (
    <>
      <circle cx="8" cy="8" r="6.25" opacity=".3" />
      <path d="M8 1.75A6.25 6.25 0 0 1 14.25 8" />
    </>
  ),
  waiting: <circle cx="8" cy="8" r="6.25" stroke-dasharray="2.2 2.7" />,
  failed: (
    <>
      <path d="M5.4 1.75h5.2l3.65 3.65v5.2l-3.65 3.65H5.4L1.75 10.6V5.4z" />
      <path d="m6 6 4 4m0-4-4 4" />
    </>
  ),
  attention: (
    <>
      <path d="M8 2 14.6 13.5H1.4z" />
      <path d="M8 6.3v3.2m0 1.9v.1" />
    </>
  ),
  stopped: (
    <>
      <circle cx="8" cy="8" r="6.25" />
      <path d="m3.8 12.2 8.4-8.4" />
    </>
  ),
  leaving: (
    <>
      <circle cx="8" cy="8" r="6.25" />
      <path d="M8 4.8v6m-2.4-2.3L8 10.9l2.4-2.4" />
    </>
  ),
  partly: (
    <>
      <path d="M8 1.6 14.4 8 8 14.4 1.6 8z" />
      <path d="M8 1.6 14.4 8 8 14.4z" fill="currentColor" />
    </>
  ),
  unknown: (
    <>
      <circle cx="8" cy="8" r="6.25" />
      <path d="M5 8h6" />
    </>
  ),
  overview: (
    <>
      <rect x="2" y="2" width="5" height="6" rx="1" />
      <rect x="2" y="11" width="5" height="3" rx="1" />
      <rect x="10" y="2" width="4" height="3" rx="1" />
      <rect x="10" y="8" width="4" height="6" rx="1" />
    </>
  ),
  environments: (
    <>
      <path d="m8 1.8 6 3.1-6 3.1-6-3.1z" />
      <path d="m2 8 6 3.1L14 8M2 11.1l6 3.1 6-3.1" />
    </>
  ),
  operations: (
    <>
      <path d="M2 4h7M5 8h8M3 12h6" />
    </>
  ),
  events: (
    <>
      <path d="M1.8 8h2.7l2-5 3 10 2-5h2.7" />
    </>
  ),
  audit: (
    <>
      <path d="M8 1.7 13.5 4v4c0 3.2-2.3 5.3-5.5 6.3C4.8 13.3 2.5 11.2 2.5 8V4z" />
      <path d="m5.8 8 1.6 1.6 2.9-3.2" />
    </>
  ),
  status: (
    <>
      <path d="M2 12.5a6.5 6.5 0 1 1 12 0" />
      <path d="m8 10 2.6-3.4" />
    </>
  ),
  search: (
    <>
      <circle cx="7" cy="7" r="4.5" />
      <path d="m10.5 10.5 3.3 3.3" />
    </>
  ),
} as const;

export type IconName = keyof typeof SHAPES;

/** A drawing beside a word that says the same. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class={name === "busy" ? "icon spin" : "icon"} aria-hidden="true">
      <use href={`#i-${name}`} />
    </svg>
  );
}

/** The drawings themselves; every page has them once. */
export function IconShapes() {
  return (
    <svg hidden aria-hidden="true">
      {Object.entries(SHAPES).map(([name, shape]) => (
        <symbol id={`i-${name}`} viewBox="0 0 16 16">{shape}</symbol>
      ))}
    </svg>
  );
}
