/** What a policy does that its writer may not have meant; `at` is the place in the document. */
export interface Warning {
  readonly at: string;
  readonly message: string;
}

/** A few names, for a message. */
export function someOf(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

/** How a message calls an image. */
export const nameOf = ({ tags, digest }: { readonly tags: readonly string[]; readonly digest?: string }): string =>
  tags[0] ?? digest ?? "an image";
