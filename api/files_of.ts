import type { DescFile } from "@bufbuild/protobuf";

/** Proto files with all that they import, the imported before what imports them. */
export function filesOf(files: Iterable<DescFile>): ReadonlySet<DescFile> {
  const found = new Set<DescFile>();
  const add = (file: DescFile) => {
    if (found.has(file)) return;
    file.dependencies.forEach(add);
    found.add(file);
  };
  for (const file of files) add(file);
  return found;
}
