import type { LiveObject } from "../../../worker/providers/kubernetes/client/kube_object.ts";
import { leafAt, leavesOf } from "./server_side_apply.ts";

/** Paths of leaves by manager: a manager's name, or `manager/subresource`. */
export type Owners = Map<string, Set<string>>;

/** All paths except those that identify the object and those that the server writes. */
export function ownedPaths(
  { apiVersion: _, kind: __, status: ___, metadata, ...rest }: LiveObject,
): Set<string> {
  const { labels, annotations, finalizers } = metadata;
  const owned = { ...rest, metadata: { labels, annotations, finalizers } };
  return new Set(leavesOf(JSON.parse(JSON.stringify(owned))).keys());
}

/** Paths at which the values of two objects differ. */
export const changedPaths = (
  wanted: LiveObject,
  live: LiveObject | undefined,
): readonly string[] => [...ownedPaths(wanted)].filter((path) => differsAt(path, wanted, live));

/** The conflicts of a manager: the names of other managers, each with a path that it owns. */
export function conflictsOf(
  owners: Owners,
  manager: string,
  wanted: LiveObject,
  live: LiveObject | undefined,
): readonly (readonly [string, string])[] {
  const paths = changedPaths(wanted, live);
  return [...owners].flatMap(([other, its]) =>
    other === manager
      ? []
      : paths.filter((path) => its.has(path)).map((path) => [other, path] as const)
  );
}

function differsAt(path: string, wanted: LiveObject, live: LiveObject | undefined): boolean {
  const at = JSON.parse(path);
  return JSON.stringify(leafAt(wanted, at)) !== JSON.stringify(live && leafAt(live, at));
}
