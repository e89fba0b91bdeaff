import type { Digest } from "../oci/digest.ts";
import { formatLocation, parseLocation } from "../oci/location.ts";
import type { Before } from "./before.ts";
import type { CopyImage, Note, RestoreManifest, Step } from "./plan.ts";
import type { Begun } from "./undo.ts";

type Untold = Pick<Note, "level" | "message">;

/** The steps that take one back, beside the manifests that come back; or why there are none. */
export function inverses(begun: Begun): readonly Step[] | Untold {
  const { step, tries } = begun;
  const before = tries[0]!.before;
  const id = `undo ${step.id}`;
  const { at } = step;
  switch (step.do) {
    case "delete tag":
      return [{ id, do: "tag", at, why: "it was deleted", digest: step.digest, before: null }];
    case "delete manifest":
      return before.manifest ? [] : warning("it was deleted, and nobody knows what it was");
    case "tag":
      return tagBack(id, begun, step.digest);
    case "copy":
      return whereItCan(copyBack(id, step, begun), at);
    case "attach":
      return { level: "info", message: "what was attached to it stays, as a record of what was done" };
    case "create repository":
      return [{ id, do: "delete repository", at, why: "it was created" }];
    case "delete repository":
      return [{ id, do: "create repository", at, why: "it was deleted" }];
    case "set immutability": {
      const { tags, except = [] } = step;
      if (!before.immutability) return warning("nobody knows what held for its tags before");
      const now = { tags, ...(except.length > 0 && { except }) };
      return [{ id, do: "set immutability", at, why: "so it was before", ...before.immutability, before: now }];
    }
    default:
      return goAgain(
        id,
        step,
        tries.map((one) => one.before),
      );
  }
}

function tagBack(id: string, { step: { at }, tries }: Begun, put: Digest): readonly Step[] | Untold {
  const { tag } = tries[0]!.before;
  if (tag === undefined) return warning("nobody knows what it named before");
  if (tag === put) return [];
  const why = doubted(tag === null ? notThere : "so it was before", tries);
  if (tag === null) return [{ id, do: "delete tag", at, why, digest: put }];
  return [{ id, do: "tag", at, why, digest: tag, before: put }];
}

function copyBack(id: string, step: CopyImage, begun: Begun): readonly Step[] | Untold {
  const { tries } = begun;
  const put = step.platforms ? tries.findLast(({ digest }) => digest)?.digest : step.digest;
  if (!put) return warning("it was stopped, and nobody knows what came to be there");
  const { existed } = tries[0]!.before;
  if (existed === undefined) return tagBack(id, begun, put);
  if (existed) return [];
  return [{ id, do: "delete manifest", at: step.at, why: doubted(notThere, tries), digest: put, tags: [] }];
}

/** Archives are written anew, with more in them, and a directory is one image: nothing goes back in either. */
function whereItCan(steps: readonly Step[] | Untold, at: string): readonly Step[] | Untold {
  const { transport } = parseLocation(at);
  if ("message" in steps || steps.length === 0 || transport === "registry" || transport === "oci") return steps;
  return warning(
    transport === "dir"
      ? "a directory is one image: remove it where that is not to be there"
      : "nothing is taken out of an archive: write what is to stay into a new one",
  );
}

const notThere = "it was not there before";

/** Where nobody saw the deed come to its end, somebody else may have done the same since. */
const doubted = (why: string, tries: Begun["tries"]): string =>
  tries.some(({ outcome }) => outcome === "done")
    ? why
    : `${why}; nobody saw the step end: what is there now may be somebody else's`;

/** What was put back goes again: with its manifest, where that was not there, else its tags alone. */
function goAgain(id: string, { at, digest, tags }: RestoreManifest, before: readonly Before[]): readonly Step[] {
  if (before[0]?.existed === false) return [{ id, do: "delete manifest", at, why: notThere, digest, tags }];
  const put = new Set(before.flatMap((one) => one.tags ?? []));
  return [...put].map((tag, i) => ({
    id: i === 0 ? id : `${id} (${i + 1})`,
    do: "delete tag",
    at: withTag(at, tag),
    why: notThere,
    digest,
  }));
}

function withTag(at: string, tag: string): string {
  const location = parseLocation(at);
  if (location.transport !== "registry") return formatLocation({ ...location, ref: tag });
  const { registry, repository } = location.reference;
  return formatLocation({ transport: "registry", reference: { registry, repository, tag } });
}

const warning = (message: string): Untold => ({ level: "warning", message });
