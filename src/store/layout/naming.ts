import { refNameAnnotation, type Descriptor } from "../../oci/descriptor.ts";
import { isDigest } from "../../oci/digest.ts";
import { RegistryError } from "../../oci/error.ts";

/** The annotation in which buildx and containerd write an image's full name, beside a ref.name that is a mere tag. */
export const imageNameAnnotation = "io.containerd.image.name";

/** How the entries of an index.json are named. */
export interface Naming {
  /** The name that each entry is listed under, in the order of the entries. */
  names(entries: readonly Descriptor[]): readonly (string | undefined)[];
  /** Whether an entry is what `ref` asks for. */
  matches(entry: Descriptor, ref: string): boolean;
  /** The annotations that give an entry this name; throws INVALID where it cannot be one. */
  annotations(name: string): Readonly<Record<string, string>>;
}

/** By `org.opencontainers.image.ref.name`; by the full name where that alone tells two images apart. */
export const layoutNaming: Naming = {
  names(entries) {
    const digests = new Map<string, Set<string>>();
    for (const { annotations, digest } of entries) {
      const name = annotations?.[refNameAnnotation];
      if (name) digests.set(name, (digests.get(name) ?? new Set()).add(digest));
    }
    return entries.map(({ annotations = {} }) => {
      const [name, full] = [annotations[refNameAnnotation], annotations[imageNameAnnotation]];
      const ambiguous = name !== undefined && (digests.get(name)?.size ?? 0) > 1;
      return (ambiguous ? full || name : name || full) || undefined;
    });
  },
  matches: ({ annotations }, ref) =>
    annotations?.[refNameAnnotation] === ref || annotations?.[imageNameAnnotation] === ref,
  annotations(name) {
    if (name === "" || isDigest(name) || /[\s\p{Cc}]/u.test(name)) {
      throw new RegistryError("INVALID", `${JSON.stringify(name)} cannot name an image in a layout`, {
        hint: "a name is a tag, such as latest, or a reference without white space",
      });
    }
    return { [refNameAnnotation]: name };
  },
};
