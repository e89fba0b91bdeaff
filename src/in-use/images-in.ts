/** What an object names as its image: a reference, or a runtime's ID of one, and whether it says so in its status. */
export interface NamedImage {
  readonly text: string;
  /** The path there: `spec.template.spec.containers[0].image`. */
  readonly path: readonly (string | number)[];
}

/**
 * All images that an object of Kubernetes names, whatever its kind: each `image` and `imageID` that is a text, and each
 * volume's `image.reference`. Empty texts name none.
 */
export function imagesIn(object: unknown): readonly NamedImage[] {
  const found: NamedImage[] = [];
  const open: { readonly value: unknown; readonly path: readonly (string | number)[] }[] = [
    { value: object, path: [] },
  ];
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, path } = next;
    if (typeof value === "string") {
      const [parent, key] = path.slice(-2);
      const isImage = key === "image" || key === "imageID" || (parent === "image" && key === "reference");
      if (isImage && value !== "") found.push({ text: value, path });
    } else if (Array.isArray(value)) {
      value.forEach((item: unknown, i) => open.push({ value: item, path: [...path, i] }));
    } else if (typeof value === "object" && value !== null) {
      for (const [key, item] of Object.entries(value)) open.push({ value: item, path: [...path, key] });
    }
  }
  return found.toReversed();
}
