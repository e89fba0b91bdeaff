import { refNameAnnotation } from "../../oci/descriptor.ts";
import { RegistryError } from "../../oci/error.ts";
import {
  familiarReference,
  formatReference,
  isDigestTag,
  parseReference,
  type Reference,
} from "../../oci/reference.ts";
import { imageNameAnnotation, type Naming } from "../layout/naming.ts";

/**
 * As `docker save` names images: by reference, the full one in `io.containerd.image.name` and its tag in ref.name; shown as
 * people write it. A reference without a tag means `latest`; a tag that says what an image is attached to stays one.
 */
export const dockerNaming: Naming = {
  names: (entries) =>
    entries.map(({ annotations = {} }) => {
      const full = annotations[imageNameAnnotation];
      return (full && familiarName(full)) || annotations[refNameAnnotation] || undefined;
    }),
  matches({ annotations = {} }, ref) {
    const [full, name] = [annotations[imageNameAnnotation], annotations[refNameAnnotation]];
    return full ? fullName(full) === fullName(ref) : name !== undefined && fullName(name) === fullName(ref);
  },
  annotations(name): Readonly<Record<string, string>> {
    if (isDigestTag(name)) return { [refNameAnnotation]: name };
    const reference = parseReference(name);
    if (reference.digest) {
      throw new RegistryError(
        "INVALID",
        `${JSON.stringify(name)} cannot name an image in a docker-archive: it has a digest`,
        {
          hint: "write repository:tag",
        },
      );
    }
    const tagged = withTag(reference);
    return { [imageNameAnnotation]: formatReference(tagged), [refNameAnnotation]: tagged.tag };
  },
};

/** A reference as people write it, with its tag; a text that is none stays. */
export function familiarName(text: string): string {
  return rewritten(text, familiarReference);
}

const fullNames = new Map<string, string>();
const fullNamesLimit = 50_000;

/** A reference in full, so that two that mean the same are the same; remembered, as each name is compared with each other. */
export function fullName(text: string): string {
  const known = fullNames.get(text);
  if (known !== undefined) return known;
  if (fullNames.size >= fullNamesLimit) fullNames.clear();
  const full = rewritten(text, formatReference);
  fullNames.set(text, full);
  return full;
}

function rewritten(text: string, write: (reference: Reference) => string): string {
  try {
    return write(withTag(parseReference(text)));
  } catch {
    return text;
  }
}

function withTag(reference: Reference): Reference & { readonly tag: string } {
  return { ...reference, tag: reference.tag ?? "latest" };
}
