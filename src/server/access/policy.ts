import type { Verb } from "../access.ts";

/** What can be done with one repository. */
export type RepositoryVerb = Exclude<Verb, "catalog">;

/** What somebody may do with a repository; `undefined` is the anonymous. The place where rules per repository belong. */
export type Grants = (user: string | undefined, repository: string) => readonly RepositoryVerb[];

/** What users and the anonymous may do. */
export interface Policy {
  readonly may: Grants;
  /** Whether they may list repositories at all: those that they may pull from. */
  readonly seesCatalog: (user: string | undefined) => boolean;
  /** Whether somebody who sees the catalog may see all of it. */
  readonly seesAll: boolean;
}

const everything: readonly RepositoryVerb[] = ["pull", "push", "delete"];

/** Users have what `grants` says, else everything; the anonymous nothing, or, of what `grants` says, pull alone. */
export function policyOf({
  anonymousPull,
  grants,
}: {
  readonly anonymousPull: boolean;
  readonly grants?: Grants;
}): Policy {
  const granted = grants ?? (() => everything);
  return {
    may: (user, repository) => {
      if (user !== undefined) return granted(user, repository);
      return anonymousPull ? granted(undefined, repository).filter((verb) => verb === "pull") : [];
    },
    seesCatalog: (user) => user !== undefined || anonymousPull,
    seesAll: grants === undefined,
  };
}
