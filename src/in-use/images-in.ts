import { formatPath, type Fault } from "../document/fault.ts";
import { RegistryError } from "../oci/error.ts";
import type { InUse } from "../plan/in-use.ts";
import { unknownHint, usedImage } from "./used-image.ts";

type Path = Fault["path"];

/**
 * All images that an object of Kubernetes names, whatever its kind: each `image` and `imageID` that is a text, and each
 * volume's `image.reference`. Empty texts name none; where it cannot be a text, as of a container, INVALID is thrown.
 */
export function imagesIn(object: unknown, by: string): readonly InUse[] {
  const found: InUse[] = [];
  const open: { readonly value: unknown; readonly path: Path }[] = [{ value: object, path: [] }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, path } = next;
    if (isNoText(value, path)) {
      throw new RegistryError("INVALID", `${by}: ${formatPath(path)}: is no text`, { hint: unknownHint });
    }
    if (typeof value === "string") {
      const [parent, key] = path.slice(-2);
      const isImage = isNamed(path) || (parent === "image" && key === "reference");
      if (isImage && value !== "") found.push(usedImage(value, by));
    } else if (Array.isArray(value)) {
      value.forEach((item: unknown, i) => open.push({ value: item, path: [...path, i] }));
    } else if (typeof value === "object" && value !== null) {
      for (const [key, item] of Object.entries(value)) open.push({ value: item, path: [...path, key] });
    }
  }
  return found.toReversed();
}

const isNamed = (path: Path): boolean => ["image", "imageID"].includes(String(path.at(-1)));

/** Whether an image is named by what names none. Volumes and definitions of resources have maps there; null is as good as absent. */
function isNoText(value: unknown, path: Path): boolean {
  if (!isNamed(path) || typeof value === "string" || value === null || value === undefined) return false;
  return typeof value !== "object" || Array.isArray(value) || /containers$/i.test(String(path.at(-3)));
}
